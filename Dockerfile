# The image of hsds: service nodes and data nodes are the same image with other arguments.
#
#   docker build -t hsds .        (or podman build, or buildah bud)
#
# Both stages stand on one base with Python 3.11 or newer and its venv module. Where the default cannot be
# had, --build-arg BASE_IMAGE=... names another, a local one too.
ARG BASE_IMAGE=docker.io/library/python:3.13.7-slim-bookworm

FROM ${BASE_IMAGE} AS build
WORKDIR /src
# pip works from an environment of its own, so that the image holds what runs and nothing else
RUN ["python3", "-m", "venv", "/opt/pip"]
RUN ["python3", "-m", "venv", "--without-pip", "/opt/hsds"]
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.lock ./
RUN ["/opt/pip/bin/pip", "--python", "/opt/hsds/bin/python", "install", \
     "--only-binary=:all:", "--require-hashes", "-r", "requirements.lock"]
COPY pyproject.toml README.md LICENSE ./
COPY hsds ./hsds
RUN ["/opt/pip/bin/pip", "--python", "/opt/hsds/bin/python", "install", "--no-deps", "."]

FROM ${BASE_IMAGE}
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="hsds" \
      org.opencontainers.image.description="A self-discovering HDF5 data service: HDF REST over object storage" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/hsds /opt/hsds
# Bytecode was compiled at installation; nothing is written but below /tmp
ENV PATH=/opt/hsds/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
# A number, because Kubernetes cannot see that a name is not root
USER 10001:10001
EXPOSE 5101 6101 9100
STOPSIGNAL SIGTERM
ENTRYPOINT ["hsds"]
CMD ["--help"]

#!/usr/bin/env bash
# A deployment on the cluster that KUBECONFIG names: applied, loaded with h5pyd, scaled, rolled, killed, its Secrets
# rotated, its Role taken away, cleaned up. Prints a table of client errors and waits. Needs kubectl and Python.
#
#   AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... tests/k8s/e2e.sh \
#       --image registry.example.org/hsds:0.1.0 --namespace hsds-e2e --s3-endpoint http://s3.storage.svc:9000 --bucket test
#
# AWS_ACCESS_KEY_ID_2 and AWS_SECRET_ACCESS_KEY_2, if set, are what AWS keys are rotated to. --help for the rest.
set -euo pipefail
exec python3 "$(dirname "$0")/programs/e2e.py" "$@"

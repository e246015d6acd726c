// H5Web without its pages: the provider and data stores of @h5web/app, asked for what its pages ask for.
//
// A job is {url, user?, password?, file}, the first line of standard input. Each further line is a question, a list
// [what, ...arguments]; one line of JSON answers it: {answer} or {error}.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import {
  HsdsProvider,
  applyMapping,
  assertDataset,
  assertValue,
  buildBasicAuthHeader,
  createBasicFetcher,
  getBaseArray,
  toNumArray,
  useDataContext,
} from '@h5web/app';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';

// A dependency of the app's own, wherever npm put it
const appRequire = createRequire(createRequire(import.meta.url).resolve('@h5web/app'));
const { getSliceSelection } = await import(appRequire.resolve('@h5web/lib'));

// What browsers have and Node.js 20 lacks
const iteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
iteratorPrototype.forEach ??= function forEach(callback) {
  let index = 0;
  for (const item of this) {
    callback(item, index++);
  }
};

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const job = JSON.parse((await lines.next()).value);
const stores = provided(job);

const questions = {
  entity: fetchEntity,

  async attributes(path) {
    return settled(stores.attrValuesStore, await fetchEntity(path));
  },

  async value(path, selection) {
    const dataset = await fetchEntity(path);
    assertDataset(dataset);
    return settled(stores.valuesStore, { dataset, selection });
  },

  // What a visualisation draws of a dataset; `mapping` has 'x', 'y' or the index of a slice for each dimension
  async plot(path, mapping) {
    const dataset = await fetchEntity(path);
    assertDataset(dataset);
    const value = await settled(stores.valuesStore, { dataset, selection: getSliceSelection(mapping) });
    assertValue(value, dataset);
    const isAxis = (_, index) => typeof mapping[index] !== 'number';
    const base = getBaseArray(toNumArray(value), dataset.shape.dims.filter(isAxis));
    const { shape, data } = applyMapping(base, mapping.filter(isAxis));
    return { shape, data };
  },

  // Whether the pages for whole values take what came
  async check(path) {
    const dataset = await fetchEntity(path);
    assertDataset(dataset);
    assertValue(await settled(stores.valuesStore, { dataset, selection: undefined }), dataset);
    return true;
  },
};

for await (const line of lines) {
  const [what, ...args] = JSON.parse(line);
  let reply;
  try {
    reply = { answer: await questions[what](...args) };
  } catch (error) {
    reply = { error: String(error), cause: String(error?.cause) };
  }
  process.stdout.write(`${JSON.stringify(reply, plain)}\n`);
}

function provided({ url, user, password, file }) {
  const headers = user ? buildBasicAuthHeader(user, password) : {};
  const fetcher = createBasicFetcher({ headers });
  let context;
  const Child = () => {
    context = useDataContext();
    return null;
  };
  renderToStaticMarkup(createElement(HsdsProvider, { url, filepath: file, fetcher }, createElement(Child)));
  return context;
}

async function fetchEntity(path) {
  return settled(stores.entitiesStore, path);
}

// Stores are made for Suspense: they throw the promise of what is not there yet
async function settled(store, input) {
  for (;;) {
    try {
      return store.get(input);
    } catch (error) {
      if (!(error instanceof Promise)) {
        throw error;
      }
      await error;
    }
  }
}

function plain(_, value) {
  if (value instanceof Map) {
    return Object.fromEntries(value);
  }
  if (ArrayBuffer.isView(value)) {
    return [...value];
  }
  return typeof value === 'bigint' ? `${value}n` : value;
}

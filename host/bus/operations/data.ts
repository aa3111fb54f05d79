/** The operations on data. A data set is a named sequence of items that share a descriptor; see docs/operations.md. */
import { z } from "zod";
import { callers, common, defineOperation, field } from "./definition.js";

const name = field(0, common.name, "the data set");
const selection = {
  usage: field(1, common.usage.optional(), "only items of this usage"),
  label: field(2, common.label.optional(), "only items with this label"),
  digests: field(3, z.array(common.digest).max(1000).optional(), "only these items, by digest"),
} as const;

/** A data set as lists show it. */
export const dataSetSummary = z.object({
  name: common.name,
  items: common.count,
  bytes: common.count,
  elementType: z.string().optional(),
  shape: z.array(z.number().int()).optional(),
  rate: z.number().optional(),
  unit: z.string().optional(),
  labels: z.record(z.string(), z.number()),
  usages: z.record(z.string(), z.number()),
  createdAt: z.string(),
  changedAt: z.string(),
  ttlS: z.number().optional(),
  /** Where it came from: node, sensor, parent data set. */
  origin: z.string().optional(),
});

export const dataCollect = defineOperation({
  name: "data.collect",
  summary: "Takes fresh samples of a sensor.",
  arguments: {
    sensor: field(0, common.name, "the sensor"),
    frames: field(1, z.number().int().min(1).max(100_000).optional(), "frames, 1..100000; default 1"),
    rate: field(
      2,
      z.number().positive().optional(),
      "Hz; default: the setting collect.rate, or the sensor's own",
    ),
    mode: field(3, z.number().int().min(0).max(1).optional(), "0 samples (default), 1 summary"),
    name: field(4, common.name.optional(), "data set that takes the window as an item (complete nodes)"),
    label: field(5, common.label.optional(), "label of that item"),
    usage: field(6, common.usage.optional(), "usage of that item"),
  },
  result: {
    frames: field(0, common.count, "frames taken"),
    lost: field(1, common.count, "frames lost while taking them"),
    channels: field(
      2,
      z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])).optional(),
      "summary: [mean, minimum, maximum, rms] by channel",
    ),
    digest: field(3, common.digest.optional(), "of the stored item"),
  },
  output: "mode samples: the frames, f32 raw, shape [frames, channels]",
  precondition: "the node has the sensor; accepted output, when stated, fits f32 [frames, channels]",
  idempotent: true,
  callers: callers.all,
  minimal: true,
  errors: {
    "not-found": "no such sensor",
    "too-large": "the frames do not fit in a message: ask for a summary",
  },
});

export const dataStore = defineOperation({
  name: "data.store",
  summary: "Appends an item to a data set, which is made when it does not exist.",
  arguments: {
    name,
    label: field(1, common.label.optional(), "label of the item"),
    usage: field(2, common.usage.optional(), "usage; default: the descriptor's"),
    ttlS: field(
      3,
      z.number().int().positive().optional(),
      "seconds until the item is removed; default: the descriptor's, or never",
    ),
    origin: field(4, z.string().max(64).optional(), 'where it came from, e.g. "pump-1/accelerometer"'),
    items: field(
      5,
      z.number().int().min(1).max(100_000).optional(),
      "the input holds so many items along its first dimension; default 1",
    ),
    labels: field(6, z.array(common.label).max(100_000).optional(), "labels of these items"),
  },
  result: {
    digests: field(0, z.array(common.digest), "of the items, SHA-256 of their bytes"),
    items: field(1, common.count, "in the data set now"),
    bytes: field(2, common.count, "in the data set now"),
  },
  input: {
    need: "required",
    summary: "the item, with its descriptor (element type and shape at least for raw)",
  },
  precondition:
    "the descriptor fits that of the data set's items; bytes = elements of the shape × element size",
  idempotent: true,
  callers: callers.all,
  errors: {
    "no-space": "quota of the data set or of the node",
    "descriptor-mismatch": "unlike the items that are there",
  },
});

export const dataRetrieve = defineOperation({
  name: "data.retrieve",
  summary: "Gives items of a data set, one after the other.",
  arguments: {
    name,
    ...selection,
    offset: field(4, common.count.optional(), "items to leave out; default 0"),
    limit: field(5, common.limit.optional(), "items at most; default: as many as fit"),
    format: field(6, z.enum(["raw", "cbor", "senml", "csv"]).optional(), "default raw"),
  },
  result: {
    items: field(0, common.count, "in the output"),
    total: field(1, common.count, "that match"),
    labels: field(2, z.array(common.label).optional(), "of the items in the output"),
  },
  output: "the items, shape [items, …]; a reference when larger than a message",
  precondition: "accepted output, when stated, fits the data set's descriptor",
  idempotent: true,
  callers: callers.all,
  errors: { "not-found": "no such data set" },
});

export const dataList = defineOperation({
  name: "data.list",
  summary: "Lists data sets by name.",
  arguments: {
    prefix: field(0, z.string().max(32).optional(), "names that begin so"),
    after: field(1, z.string().max(32).optional(), "names behind this one"),
    limit: field(2, common.limit.optional(), "at most; default 100"),
  },
  result: {
    dataSets: field(0, z.array(dataSetSummary), "in order of name"),
    next: field(1, z.string().optional(), "`after` of the next page; absent: that was all"),
  },
  idempotent: true,
  callers: callers.all,
});

export const dataDelete = defineOperation({
  name: "data.delete",
  summary: "Removes items; without a selection the whole data set.",
  arguments: {
    name,
    ...selection,
    olderThanS: field(4, common.count.optional(), "only items older than so many seconds"),
  },
  result: { items: field(0, common.count, "removed"), bytes: field(1, common.count, "removed") },
  idempotent: true,
  errors: { "not-found": "no such data set" },
});

export const dataTransform = defineOperation({
  name: "data.transform",
  summary: "Makes a data set of another, item by item.",
  arguments: {
    name,
    into: field(1, common.name, "the new data set; what was in it is replaced when all items are done"),
    function: field(2, common.qualified.optional(), "a deployed function, item in, item out"),
    window: field(
      3,
      z.number().int().min(1).max(100_000).optional(),
      "cut items into windows of so many frames",
    ),
    step: field(
      4,
      z.number().int().min(1).max(100_000).optional(),
      "frames from window to window; default: window",
    ),
    normalize: field(
      5,
      z.enum(["none", "standard", "minmax"]).optional(),
      "by channel over the whole data set",
    ),
  },
  result: { items: field(0, common.count, "made"), bytes: field(1, common.count, "made") },
  precondition: "the function's input fits the data set's items",
  idempotent: true,
  errors: { "function-failed": "trap of the function; the old data set `into` is still there" },
});

export const dataSplit = defineOperation({
  name: "data.split",
  summary: "Gives each item a usage, by shares, the same for the same seed; shares of each label are kept.",
  arguments: {
    name,
    training: field(1, z.number().min(0).max(1), "share"),
    validation: field(2, z.number().min(0).max(1).optional(), "share; default 0"),
    test: field(3, z.number().min(0).max(1).optional(), "share; default: the rest"),
    calibration: field(4, z.number().min(0).max(1).optional(), "share; default 0"),
    seed: field(5, z.number().int().min(0).max(0xffffffff).optional(), "default 1"),
    by: field(6, z.enum(["random", "time"]).optional(), "time: the oldest are training; default random"),
  },
  result: { usages: field(0, z.record(z.string(), z.number()), "items by usage") },
  precondition: "shares sum to 1 at most",
  idempotent: true,
  errors: { "not-found": "no such data set" },
});

export const dataLabel = defineOperation({
  name: "data.label",
  summary: "Sets the label of items.",
  arguments: {
    name,
    ...selection,
    offset: field(4, common.count.optional(), "first item of those that match; default 0"),
    limit: field(5, z.number().int().min(1).optional(), "items; default all"),
    set: field(6, common.label, 'the new label; "" removes it'),
  },
  result: { items: field(0, common.count, "changed") },
  idempotent: true,
  errors: { "not-found": "no such data set" },
});

export const dataOperations = [
  dataCollect,
  dataStore,
  dataRetrieve,
  dataList,
  dataDelete,
  dataTransform,
  dataSplit,
  dataLabel,
] as const;

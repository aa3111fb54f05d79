/** Writes TensorFlow.js layers models to disk: TensorFlow.js itself can only with native parts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as Tf from "@tensorflow/tfjs";

/** Writes model.json and weights.bin into `directory`, in the layout of `model.save("file://...")`. */
export async function saveLayersModel(model: Tf.LayersModel, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await model.save({
    save: (artifacts) => {
      const { modelTopology, weightSpecs = [], weightData } = artifacts;
      const parts = weightData === undefined ? [] : Array.isArray(weightData) ? weightData : [weightData];
      writeFileSync(join(directory, "weights.bin"), Buffer.concat(parts.map((part) => new Uint8Array(part))));
      const file = {
        format: "layers-model",
        generatedBy: artifacts.generatedBy ?? "TensorFlow.js",
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }],
      };
      writeFileSync(join(directory, "model.json"), `${JSON.stringify(file, null, 1)}\n`);
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } });
    },
  });
}

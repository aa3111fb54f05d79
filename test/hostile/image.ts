/** The default node for native_sim with sanitizers. Builds for minutes at first. */
import { packagePath } from "../../compiler/board/package-root.js";
import { buildDefaultNode } from "../zephyr/support/zephyr-node.js";

/** The Linux executable. @throws UserError, Error when it cannot be built */
export async function buildSanitized(): Promise<string> {
  const { image } = await buildDefaultNode("native_sim", "image", {
    name: "sanitized",
    confFiles: [packagePath("test", "hostile", "sanitizers.conf")],
  });
  if (image === undefined) throw new Error("no image for native_sim: npx tmc doctor says what is missing");
  return image;
}

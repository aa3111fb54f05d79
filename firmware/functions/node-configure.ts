/** `node.configure`: changes settings, all of those asked for or none, and answers with every setting. */
import type { Answer } from "../core/answer.js";
import { Operation } from "../core/operation.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import type { Settings } from "../core/setting.js";
import { SettingsError } from "../core/setting.js";

export class NodeConfigure extends Operation {
  constructor(private readonly settings: Settings) {
    super("node.configure");
  }

  override run(request: Request, answer: Answer): boolean {
    const changes = request.openArgument(0);
    let error = changes ? this.settings.change(request.reader) : SettingsError.None;
    if (error === SettingsError.None) {
      const writer = answer.beginResult(1);
      writer.writeInt(0);
      const start = writer.length;
      this.settings.write(writer);
      // What is stored is what the answer tells.
      if (changes) error = this.settings.store(writer, start);
    }
    if (error !== SettingsError.None) this.explain(error, answer);
    return true;
  }

  private explain(error: SettingsError, answer: Answer): void {
    switch (error) {
      case SettingsError.UnknownName:
        answer.fail(ErrorCode.NotFound, "no such setting", "settings");
        break;
      case SettingsError.BadValue:
        answer.failWithin(
          ErrorCode.BadRequest,
          "wrong type or out of bounds",
          "settings",
          this.settings.refusedName(),
        );
        break;
      case SettingsError.NotStored:
        answer.fail(ErrorCode.NoSpace, "changed until the next restart", "settings");
        break;
      default:
        answer.fail(ErrorCode.BadRequest, "", "settings");
        break;
    }
  }
}

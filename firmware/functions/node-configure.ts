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
    if (request.openArgument(0)) {
      const error = this.settings.change(request.reader);
      if (error !== SettingsError.None) {
        this.explain(error, answer);
        return true;
      }
    }
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    this.settings.write(writer);
    return true;
  }

  private explain(error: SettingsError, answer: Answer): void {
    switch (error) {
      case SettingsError.UnknownName:
        answer.fail(ErrorCode.NotFound, "no such setting", "settings");
        break;
      case SettingsError.BadValue:
        answer.fail(
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

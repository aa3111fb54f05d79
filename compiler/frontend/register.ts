/** Fills the table of visitors. */
import { registerAccess } from "./expr/access.js";
import { registerAssign } from "./expr/assign.js";
import { implicitAwait, registerAwait } from "./expr/await.js";
import { registerCalls } from "./expr/calls.js";
import { registerLambdas } from "./expr/lambdas.js";
import { registerLiterals } from "./expr/literals.js";
import { registerNames } from "./expr/names.js";
import { registerObjects } from "./expr/objects.js";
import { registerOperators } from "./expr/operators.js";
import { registerOptional } from "./expr/optional.js";
import { registerTemplates } from "./expr/templates.js";
import { Lowerer } from "./lowerer.js";
import { registerControl } from "./stmt/control.js";
import { registerSimple } from "./stmt/simple.js";

let done = false;

export function registerVisitors(): void {
  if (done) return;
  done = true;
  registerLiterals();
  registerNames();
  registerAccess();
  registerOperators();
  registerAssign();
  registerCalls();
  registerAwait();
  Lowerer.implicitAwait = implicitAwait;
  registerObjects();
  registerLambdas();
  registerTemplates();
  registerOptional();
  registerSimple();
  registerControl();
}

/**
 * Fixes that can be made by replacing text, by message code: for `tmc check --fix`, editors, JSON and SARIF. Each is found from
 * the node that the message is about; it changes nothing itself.
 */
import { ts } from "ts-morph";
import type { QuickFix, SourceEdit } from "../diagnostics/diagnostic.js";
import type { FixableCode } from "../diagnostics/fixable-codes.js";

interface Replacement {
  readonly title: string;
  /** The meaning is beyond doubt; false for what may lose bits. */
  readonly automatic: boolean;
  readonly changes: readonly { readonly start: number; readonly end: number; readonly text: string }[];
}

type Finder = (node: ts.Node, checker: ts.TypeChecker, type: string | undefined) => Replacement | undefined;

const K = ts.SyntaxKind;

/** The one for this message, undefined where there is none or where it would span lines. `type`: see Context.report. */
export function quickFixOf(
  checker: ts.TypeChecker,
  code: string,
  node: ts.Node,
  type?: string,
): QuickFix | undefined {
  const found = isFixable(code) ? finders[code](node, checker, type) : undefined;
  if (found === undefined) return undefined;
  const sf = node.getSourceFile();
  const edits: SourceEdit[] = [];
  for (const c of found.changes) {
    const from = sf.getLineAndCharacterOfPosition(c.start);
    const to = sf.getLineAndCharacterOfPosition(c.end);
    if (from.line !== to.line) return undefined;
    edits.push({ line: from.line + 1, col: from.character + 1, endCol: to.character + 1, text: c.text });
  }
  return { title: found.title, automatic: found.automatic, edits };
}

const replace = (node: ts.Node, text: string): { start: number; end: number; text: string } => ({
  start: node.getStart(),
  end: node.getEnd(),
  text,
});

const whole = (title: string, automatic: boolean, node: ts.Node, text: string): Replacement => ({
  title,
  automatic,
  changes: [replace(node, text)],
});

/** Text that stays one operand in front of `=== 0` and behind `=`. */
function operand(node: ts.Expression): string {
  const simple =
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isCallExpression(node) ||
    ts.isParenthesizedExpression(node) ||
    node.kind === K.ThisKeyword;
  return simple ? node.getText() : `(${node.getText()})`;
}

/** The name of the number type that is expected here: "f32" where the type was written so. */
function wanted(node: ts.Expression, checker: ts.TypeChecker): string | undefined {
  const t = checker.getContextualType(node);
  return (
    t?.aliasSymbol?.name ?? (t !== undefined && (t.flags & ts.TypeFlags.Number) !== 0 ? "f64" : undefined)
  );
}

const finders: Readonly<Record<FixableCode, Finder>> = {
  TMC1018: consoleLog,
  TMC1104: utf8Literal,
  TMC1113: (n) => whole("convert the index", false, n, `i32(${n.getText()})`),
  TMC1130: letForVar,
  TMC1202: comparison,
  TMC1206: conversionForAs,
  TMC1211: integerDivision,
  TMC1215: (n) => operator(n, K.GreaterThanGreaterThanToken, ">>>"),
  TMC1216: strictComparison,
};

const isFixable = (code: string): code is FixableCode => code in finders;

/** `console.log(x)` → `log(x)` */
function consoleLog(node: ts.Node): Replacement | undefined {
  const access = ts.isIdentifier(node) && node.text === "console" ? node.parent : node;
  if (
    !ts.isPropertyAccessExpression(access) ||
    !/^console\.(log|info|debug|warn|error)$/.test(access.getText())
  )
    return undefined;
  return ts.isCallExpression(access.parent) && access.parent.expression === access
    ? whole("write `log(…)`", true, access, "log")
    : undefined;
}

/** `"µ"` → `utf8("µ")`; in a template the text stays, a person has to say what it is. */
function utf8Literal(node: ts.Node): Replacement | undefined {
  if (!ts.isStringLiteral(node) || ts.isCaseClause(node.parent)) return undefined;
  return whole('write `utf8("…")`', true, node, `utf8(${node.getText()})`);
}

function letForVar(node: ts.Node): Replacement | undefined {
  if (!ts.isVariableDeclarationList(node) || !node.getText().startsWith("var")) return undefined;
  const start = node.getStart();
  return { title: "write `let`", automatic: true, changes: [{ start, end: start + 3, text: "let" }] };
}

/** `if (n)` → `if (n !== 0)`, `!s` → `s === ""`; not for floats (NaN is falsy) and not where null and zero are both meant. */
function comparison(
  node: ts.Node,
  checker: ts.TypeChecker,
  type: string | undefined,
): Replacement | undefined {
  if (!ts.isExpression(node)) return undefined;
  const value = type !== undefined && integers.has(type) ? "0" : falsy(checker.getTypeAtLocation(node));
  if (value === undefined) return undefined;
  const not = node.parent;
  if (!ts.isPrefixUnaryExpression(not) || not.operator !== K.ExclamationToken) {
    return whole(`compare with \`${value}\``, true, node, `${operand(node)} !== ${value}`);
  }
  const around = not.parent;
  const text = `${operand(node)} === ${value}`;
  const needsParentheses =
    ts.isPrefixUnaryExpression(around) ||
    (ts.isBinaryExpression(around) &&
      around.operatorToken.kind !== K.AmpersandAmpersandToken &&
      around.operatorToken.kind !== K.BarBarToken &&
      around.operatorToken.kind !== K.EqualsToken);
  return whole(`compare with \`${value}\``, true, not, needsParentheses ? `(${text})` : text);
}

const integers = new Set(["i8", "u8", "i16", "u16", "i32", "u32"]);

/** The only value of the type, which is not a number, that a condition takes for false. */
function falsy(t: ts.Type): string | undefined {
  if ((t.flags & ts.TypeFlags.StringLike) !== 0 && !t.isUnion()) return '""';
  if (!t.isUnion()) return undefined;
  const others = t.types.filter((m) => (m.flags & ts.TypeFlags.Null) === 0);
  const objects = others.every((m) => (m.flags & ts.TypeFlags.Object) !== 0);
  return objects && others.length < t.types.length ? "null" : undefined;
}

/** `n as u8` → `u8(n)` */
function conversionForAs(node: ts.Node): Replacement | undefined {
  if (!ts.isAsExpression(node)) return undefined;
  const to = node.type.getText();
  if (!integers.has(to) && to !== "f32" && to !== "f64") return undefined;
  return whole(`convert: \`${to}(…)\``, false, node, `${to}(${node.expression.getText()})`);
}

/** `a / b` → `Math.trunc(a / b)`, `a /= b` → `a = Math.trunc(a / b)`; where a float is wanted only a person knows. */
function integerDivision(node: ts.Node, checker: ts.TypeChecker): Replacement | undefined {
  if (!ts.isBinaryExpression(node)) return undefined;
  const title = "write `Math.trunc(a / b)`";
  if (node.operatorToken.kind === K.SlashToken) {
    const to = wanted(node, checker);
    const automatic = to === undefined || integers.has(to);
    return whole(title, automatic, node, `Math.trunc(${node.getText()})`);
  }
  // The target is written twice then: only where that reads it twice without effect.
  if (node.operatorToken.kind !== K.SlashEqualsToken || !isPlain(node.left)) return undefined;
  const target = node.left.getText();
  return whole(title, true, node, `${target} = Math.trunc(${target} / ${operand(node.right)})`);
}

/** A variable, or fields of one. */
const isPlain = (node: ts.Expression): boolean =>
  ts.isIdentifier(node) ||
  node.kind === K.ThisKeyword ||
  (ts.isPropertyAccessExpression(node) && isPlain(node.expression));

function operator(node: ts.Node, from: ts.SyntaxKind, text: string): Replacement | undefined {
  if (!ts.isBinaryExpression(node)) return undefined;
  const { operatorToken } = node;
  const assigns = operatorToken.kind === K.GreaterThanGreaterThanEqualsToken;
  if (operatorToken.kind !== from && !assigns) return undefined;
  return whole(`write \`${text}\``, true, operatorToken, assigns ? `${text}=` : text);
}

function strictComparison(node: ts.Node): Replacement | undefined {
  const text = node.getText();
  return text === "==" || text === "!=" ? whole(`write \`${text}=\``, true, node, `${text}=`) : undefined;
}

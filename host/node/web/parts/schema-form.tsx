/** A form made of a JSON schema of the API's document: one field for each property. What it makes is checked by the server. */
import { useId } from "preact/hooks";

export interface Schema {
  readonly type?: string | string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** Texts of the fields by name; "" is not given. */
export type Texts = Readonly<Record<string, string>>;

const typeOf = (schema: Schema): string =>
  (Array.isArray(schema.type) ? schema.type.find((type) => type !== "null") : schema.type) ?? "any";

const isList = (schema: Schema): boolean =>
  typeOf(schema) === "array" && ["string", "number", "integer"].includes(typeOf(schema.items ?? {}));

/** @throws Error with the name of the field that cannot be read */
export function valuesOf(schema: Schema, texts: Texts): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const text = (texts[name] ?? "").trim();
    if (text !== "") values[name] = valueOf(name, property, text);
  }
  return values;
}

function valueOf(name: string, schema: Schema, text: string): unknown {
  const type = typeOf(schema);
  if (type === "string") return text;
  if (type === "boolean") return text === "true";
  if (type === "number" || type === "integer") return toNumber(name, text);
  if (isList(schema)) {
    const parts = text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    return typeOf(schema.items ?? {}) === "string" ? parts : parts.map((part) => toNumber(name, part));
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${name}: not JSON`);
  }
}

function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`${name}: not a number`);
  return value;
}

interface FormProps {
  readonly schema: Schema;
  readonly texts: Texts;
  readonly onChange: (texts: Texts) => void;
  /** The field that the server refused. */
  readonly wrong: string | undefined;
}

export function SchemaFields({ schema, texts, onChange, wrong }: FormProps) {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return <p class="muted">It takes no arguments.</p>;
  const required = new Set(schema.required);
  return (
    <>
      {entries.map(([name, property]) => (
        <Field
          key={name}
          name={name}
          schema={property}
          required={required.has(name)}
          text={texts[name] ?? ""}
          wrong={wrong === name}
          onText={(text) => onChange({ ...texts, [name]: text })}
        />
      ))}
    </>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly text: string;
  readonly wrong: boolean;
  readonly onText: (text: string) => void;
}

function Field({ name, schema, required, text, wrong, onText }: FieldProps) {
  const id = useId();
  const type = typeOf(schema);
  const change = (event: { currentTarget: { value: string } }): void => onText(event.currentTarget.value);
  const common = {
    id,
    name,
    required,
    value: text,
    "aria-invalid": wrong,
    "aria-describedby": `${id}-note`,
  };
  const choices = schema.enum ?? (type === "boolean" ? ["true", "false"] : undefined);
  return (
    <div class="field">
      <label for={id}>
        {name}
        {required ? <span class="muted"> (needed)</span> : null}
      </label>
      {choices !== undefined ? (
        <select {...common} onChange={change}>
          <option value="">{required ? "choose" : "default"}</option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : type === "number" || type === "integer" ? (
        <input
          {...common}
          type="number"
          step={type === "integer" ? 1 : "any"}
          min={schema.minimum}
          max={schema.maximum}
          onInput={change}
        />
      ) : type === "string" || isList(schema) ? (
        <input
          {...common}
          type="text"
          maxLength={schema.maxLength}
          spellcheck={false}
          autocomplete="off"
          onInput={change}
        />
      ) : (
        <textarea {...common} rows={4} spellcheck={false} onInput={change} />
      )}
      <small id={`${id}-note`} class="muted">
        {noteOf(schema)}
      </small>
    </div>
  );
}

function noteOf(schema: Schema): string {
  const parts = [
    schema.description,
    isList(schema) ? "separated by commas" : undefined,
    typeOf(schema) === "object" || typeOf(schema) === "any" ? "JSON" : undefined,
    schema.minimum === undefined ? undefined : `from ${schema.minimum}`,
    schema.maximum === undefined || schema.maximum > 1e15 ? undefined : `to ${schema.maximum}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

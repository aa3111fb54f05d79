/** Why a request goes where it goes: candidates, which fit, and their scores. Nothing is executed. */
import { useState } from "preact/hooks";
import { post } from "../api.js";
import { number } from "../format.js";
import type { Capability, Explanation } from "../types.js";
import { Badge, Failure, Table } from "./basic.js";
import { Dialog } from "./dialog.js";

export function ExplainDialog({ capability, onClose }: { capability: Capability; onClose: () => void }) {
  const { operation } = capability;
  const [selector, setSelector] = useState<Record<string, string>>({});
  const [reference, setReference] = useState("");
  const [found, setFound] = useState<Explanation>();
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    const selected = Object.fromEntries(
      Object.entries(selector)
        .filter(([, text]) => text.trim() !== "")
        .map(([part, text]) => [
          part,
          part === "labels" ? text.split(",").map((label) => label.trim()) : text.trim(),
        ]),
    );
    setError(undefined);
    post<Explanation>("/route/explain", {
      operation,
      ...(Object.keys(selected).length === 0 ? {} : { selector: selected }),
      ...(reference.trim() === "" ? {} : { input: { reference: reference.trim() } }),
    }).then(setFound, setError);
  };
  return (
    <Dialog title={`Where would ${operation} go?`} onClose={onClose}>
      <form class="call" onSubmit={submit}>
        {(["node", "name", "task", "labels"] as const).map((part) => (
          <label key={part}>
            Selector: {part}
            <input
              type="text"
              value={selector[part] ?? ""}
              spellcheck={false}
              onInput={(event) => setSelector({ ...selector, [part]: event.currentTarget.value })}
            />
          </label>
        ))}
        {capability.input === "none" ? null : (
          <label>
            Input reference
            <input
              type="text"
              placeholder="sensor:NAME"
              value={reference}
              onInput={(event) => setReference(event.currentTarget.value)}
            />
          </label>
        )}
        <Failure error={error} />
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="primary">
            Explain
          </button>
        </div>
      </form>
      {found === undefined ? null : <Found found={found} />}
    </Dialog>
  );
}

function Found({ found }: { found: Explanation }) {
  return (
    <section class="answer" aria-live="polite">
      <p>
        <Badge tone={found.decision === "refuse" ? "bad" : "ok"}>{found.decision}</Badge>{" "}
        {found.chosen === undefined
          ? `${found.error?.code ?? ""}: ${found.error?.text ?? ""}`
          : `to ${found.chosen}`}
      </p>
      {found.candidates.length === 0 ? (
        <p class="muted">There is no candidate.</p>
      ) : (
        <Table label="Candidates" numeric={["Score"]} head={["Candidate", "Kind", "Fits", "Score", "Parts"]}>
          {found.candidates.map((each) => (
            <tr key={each.node}>
              <th scope="row">{each.node}</th>
              <td>{each.kind}</td>
              <td>{each.fits ? <Badge tone="ok">fits</Badge> : <Badge tone="idle">{each.why}</Badge>}</td>
              <td class="num">{each.score === undefined ? "–" : number(each.score.total)}</td>
              <td>
                {Object.entries(each.score?.parts ?? {})
                  .map(([part, n]) => `${part} ${number(n)}`)
                  .join(", ")}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

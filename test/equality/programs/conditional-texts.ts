// Conditionals of a literal union and other texts, one inside the other.
type Choice = "red" | "green";
const choices: RomArray<Choice> = ["red", "green"];
let flag = true;
function next(c: Choice): Choice {
  return flag ? c : c === "red" ? "green" : "red";
}

export function main(): void {
  for (let i = 0; i < 2; i++) {
    log(flag ? choices[i] : flag ? "a" : "");
    flag = !flag;
    log(flag ? "blue" : i > 0 ? choices[i] : "other");
    const c = flag ? choices[i] : flag ? "red" : "green";
    log(next(c), next(next(c)));
  }
}

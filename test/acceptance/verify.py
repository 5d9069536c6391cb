"""Checks a finished run with PyTorch, transformers and peft: logits, the adapter, and all four bits-per-byte figures.

It shares no code with what it checks: it reads the folders that the run wrote and the JSON that `chrysalis score` printed.
Needs the packages of requirements.txt; runs on the CPU in float32. Exit code 0: all agree; 1: some do not; 2: wrong usage.

    python verify.py NEST --gguf base.gguf --ids ids.json --score gguf=gguf.json --score imago=imago.json

`--ids` is the JSON array that was given to `chrysalis score`, and SUBJECT in `--score SUBJECT=FILE` says of what FILE is the
output: `gguf` (the GGUF parent itself), `parent` (the parent's folder) or `imago` (NEST/imago).

What is compared:
- score      our nll of each id after the first, with transformers' from the same file; an agreement of nll on given ids is
             what stands for an agreement of logits, since `chrysalis score` prints no logits
- parent     logits of the GGUF (read by transformers) and of the folder that the run made of it
- adapter    logits of NEST/imago/adapter on the parent (peft), and of the merged float32 folder NEST/imago
- ids        token ids of transformers' tokenizer, and those of the folder's tokenizer.json read by `tokenizers`
- bits       bits per byte of NEST/heldout.jsonl and NEST/retention.jsonl before (parent) and after (imago), with report.json
"""

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

LOGITS = 1e-3  # largest absolute difference of a logit, or of an nll in nats
BITS = 0.005  # relative difference of a bits-per-byte figure
CHUNK = 256  # positions whose logits exist at one time


class Unusable(Exception):
    """The request or a folder cannot be worked with; the message says why."""


def read_json(path):
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot read {path}: {error}") from error


def read_documents(path):
    try:
        # splitlines() would also split at U+2028 and the like, which JSON leaves unescaped
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line.strip()]
        if any("framed" in line for line in lines):
            raise Unusable(f"{path} holds files that are scored record by record, which is not checked here")
        return [(str(line.get("id", number)), line["text"]) for number, line in enumerate(lines, 1)]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Unusable(f"{path} is not a list of documents: {error!r}") from error


def load_model(folder, gguf_file=None):
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=gguf_file, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise Unusable(f"transformers cannot load {Path(folder) / (gguf_file or '')}: {error}") from error
    return model.eval()


def load_adapter(parent, adapter):
    return PeftModel.from_pretrained(load_model(parent), adapter).eval()


@torch.inference_mode()
def logits_of(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def nll_of(logits, ids):
    """Negative log-likelihood in nats of each id after the first, given those before it."""
    return -torch.log_softmax(logits[:-1], -1).gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]


def windows_of(ids, window, stride):
    """(start, end, first) of each window over ids: inputs start..end-1; those from `first` on predict what no earlier
    window has: input i predicts ids[i + 1]."""
    predictions = len(ids) - 1
    start = scored = 0
    while scored < predictions:
        end = min(start + window, predictions)
        yield start, end, scored
        scored = end
        start += stride


@torch.inference_mode()
def score_documents(model, tokenizer, separator, documents, window, stride, tokens_at_once, label):
    """Bits per byte: total nats / (ln 2 x UTF-8 bytes). A document is the separator, which is context only, and its ids."""
    pieces = []
    for _, text in documents:
        # Special tokens written in a text are plain text, as in the run.
        ids = [separator] + tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        pieces += [(ids[start : end + 1], first - start) for start, end, first in windows_of(ids, window, stride)]
    pieces.sort(key=lambda piece: len(piece[0]))
    total = sum(len(ids) - 1 - first for ids, first in pieces)
    nats, done = 0.0, 0
    while pieces:
        length = len(pieces[-1][0]) - 1
        batch = [pieces.pop() for _ in range(min(len(pieces), max(1, tokens_at_once // length)))]
        inputs = torch.full((len(batch), length), separator)
        targets = torch.full((len(batch), length), -1)
        for row, (ids, first) in enumerate(batch):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            targets[row, first : len(ids) - 1] = torch.tensor(ids[first + 1 :])
        # padding is behind, where causal attention does not look
        hidden = model.model(input_ids=inputs, use_cache=False).last_hidden_state
        wanted = targets >= 0
        for states, ids in zip(hidden[wanted].split(CHUNK), targets[wanted].split(CHUNK)):
            chosen = torch.log_softmax(model.lm_head(states), -1).gather(-1, ids[:, None])
            nats -= chosen.double().sum().item()
        done += int(wanted.sum())
        print(f"\r{label}: {done} of {total} tokens", end="", file=sys.stderr)
    print(file=sys.stderr)
    size = sum(len(text.encode("utf-8")) for _, text in documents)
    if size == 0:
        raise Unusable(f"{label}: the documents hold no byte")
    return nats / (math.log(2) * size)


def separator_of(arguments, report, tokenizer):
    """The id of the family's document separator: as given, as the report says, or `<|endoftext|>`."""
    wanted = arguments.separator or report.get("evaluation", {}).get("separator", "<|endoftext|>")
    found = wanted if isinstance(wanted, int) else tokenizer.get_vocab().get(wanted)
    if found is None:
        raise Unusable(f"the tokenizer has no token {wanted!r}: name the document separator with --separator TOKEN")
    return found


def figures(source, path):
    """The four figures of a report or of the JSON result of `chrysalis run`."""
    try:
        return {
            ("held-out", when): float(source[when]["bitsPerByte"]) for when in ("before", "after")
        } | {("retention", when): float(source[when]["retentionBitsPerByte"]) for when in ("before", "after")}
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{path} lacks bitsPerByte or retentionBitsPerByte, before or after: {error!r}") from error


def tensor_types(folder):
    files = sorted(Path(folder).glob("*.safetensors"))
    return {f.get_slice(name).get_dtype() for file in files for f in [safe_open(file, "pt")] for name in f.keys()}


class Checks:
    def __init__(self):
        self.rows = []

    def add(self, check, ours, reference, difference, allowed):
        ok = math.isfinite(difference) and difference <= allowed
        self.rows.append(dict(check=check, ours=ours, reference=reference, difference=difference, allowed=allowed, ok=ok))

    def compare(self, check, ours, reference):
        """Largest difference of two lists or tensors of one shape."""
        ours, reference = torch.as_tensor(ours).double(), torch.as_tensor(reference).double()
        if ours.shape != reference.shape:
            raise Unusable(f"{check}: {ours.numel()} values where there should be {reference.numel()}")
        difference = (ours - reference).abs().max().item()
        self.add(check, f"{ours.numel()} values", f"mean {reference.mean().item():.4f}", difference, LOGITS)

    def table(self):
        head = ["", "check", "ours", "PyTorch", "difference", "allowed"]
        text = lambda value: value if isinstance(value, str) else f"{value:.5g}"
        body = [
            ["ok" if r["ok"] else "FAILED", *(text(r[k]) for k in ("check", "ours", "reference", "difference", "allowed"))]
            for r in self.rows
        ]
        widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [head, *body])


def check_logits(checks, arguments, parent, imago):
    if not arguments.ids:
        return
    ids = read_json(arguments.ids)
    if not isinstance(ids, list) or len(ids) < 2 or not all(type(i) is int for i in ids):
        raise Unusable(f"{arguments.ids} is not a JSON array of two or more token ids")
    scores = {}
    for item in arguments.score:
        subject, _, file = item.partition("=")
        if subject not in ("gguf", "parent", "imago") or not file:
            raise Unusable(f"--score {item}: write gguf=FILE, parent=FILE or imago=FILE")
        scores[subject] = torch.tensor(read_json(file)["nll"], dtype=torch.float64)
    if "gguf" in scores and not arguments.gguf:
        raise Unusable("--score gguf=FILE needs --gguf")
    logits = {}
    if arguments.gguf:
        gguf = Path(arguments.gguf)
        logits["gguf"] = logits_of(load_model(gguf.parent, gguf.name), ids)
    logits["parent"] = logits_of(load_model(parent), ids)
    logits["imago"] = logits_of(load_model(imago), ids)
    if (imago / "adapter").is_dir():
        types = tensor_types(imago)
        if types != {"F32"}:
            raise Unusable(f"{imago} holds {', '.join(sorted(types))}: run with --merge-dtype f32 to compare it with the adapter")
        logits["adapter"] = logits_of(load_adapter(parent, imago / "adapter"), ids)
    for subject, nll in scores.items():
        checks.compare(f"score {subject}", nll, nll_of(logits[subject], ids))
    if "gguf" in logits:
        checks.compare("parent folder, GGUF", logits["parent"], logits["gguf"])
    if "adapter" in logits:
        checks.compare("merged, adapter on parent", logits["imago"], logits["adapter"])
        if "imago" in scores:
            checks.compare("score imago, adapter on parent", scores["imago"], nll_of(logits["adapter"], ids))


def check_bits(checks, arguments, report, parent, imago):
    ours = {"report": figures(report, imago / "report.json")}
    if arguments.result:
        ours["result"] = figures(read_json(arguments.result), arguments.result)
    evaluation = report.get("evaluation") or {}
    window, stride = evaluation.get("window"), evaluation.get("stride")
    if type(window) is not int or type(stride) is not int or not 0 < stride <= window:
        raise Unusable(f"{imago / 'report.json'} lacks evaluation.window and evaluation.stride")
    documents = {"held-out": read_documents(arguments.nest / "heldout.jsonl"),
                 "retention": read_documents(arguments.nest / "retention.jsonl")}
    for when, folder in (("before", parent), ("after", imago)):
        model, tokenizer = load_model(folder), AutoTokenizer.from_pretrained(folder)
        plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
        separator = separator_of(arguments, report, tokenizer)
        for name, texts in documents.items():
            different = sum(
                tokenizer.encode(text, add_special_tokens=False) != plain.encode(text, add_special_tokens=False).ids
                for _, text in texts
            )
            checks.add(f"ids, {name}, {folder.name}", f"{len(texts)} texts", "tokenizer.json", different, 0)
            bits = score_documents(model, tokenizer, separator, texts, window, stride, arguments.tokens,
                                   f"{name}, {when}")
            for source, figure in ours.items():
                own = figure[name, when]
                checks.add(f"bits per byte, {name}, {when} ({source})", own, bits, abs(own - bits) / bits, BITS)


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nest", type=Path, metavar="NEST", help="directory of a finished run")
    parser.add_argument("--gguf", metavar="FILE", help="the GGUF file that was the run's parent")
    parser.add_argument("--parent", type=Path, metavar="DIR", help="the parent's folder; default: NEST/parent")
    parser.add_argument("--ids", metavar="FILE", help="token ids to compare logits on; without it they are not compared")
    parser.add_argument("--score", action="append", default=[], metavar="SUBJECT=FILE", help="what `chrysalis score` printed")
    parser.add_argument("--result", metavar="FILE", help="JSON result of `chrysalis run`; its figures are checked too")
    parser.add_argument("--separator", metavar="TOKEN", help="document separator; default: the report's, else <|endoftext|>")
    parser.add_argument("--skip-bits", action="store_true", help="leave out the bits-per-byte figures, which take longest")
    parser.add_argument("--tokens", type=int, default=4096, metavar="N", help="tokens of a batch; default 4096")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of PyTorch; default: its own choice")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, the table on stderr")
    return parser.parse_args(argv)


def main(argv=None):
    arguments = parse(argv)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    parent, imago = arguments.parent or arguments.nest / "parent", arguments.nest / "imago"
    checks = Checks()
    try:
        for folder in (parent, imago):
            if not (folder / "config.json").is_file():
                raise Unusable(f"{folder} is not a model folder" + ("" if folder == imago else "; name one with --parent"))
        if arguments.score and not arguments.ids:
            raise Unusable("--score needs --ids, the ids that were scored")
        check_logits(checks, arguments, parent, imago)
        if not arguments.skip_bits:
            check_bits(checks, arguments, read_json(imago / "report.json"), parent, imago)
        if not checks.rows:
            raise Unusable("nothing to check: give --ids, or leave out --skip-bits")
    except Unusable as error:
        print(f"verify: {error}", file=sys.stderr)
        return 2
    ok = all(row["ok"] for row in checks.rows)
    print(checks.table(), file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps({"ok": ok, "checks": checks.rows}, indent=2))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

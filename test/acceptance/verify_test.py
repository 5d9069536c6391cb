"""Tests of verify.py on a tiny nest made of a parity fixture: what is right passes, each thing that is wrong is found.

Run: python test/acceptance/verify_test.py   (packages: requirements.txt)
"""

import contextlib
import io
import json
import math
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import gguf
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

import verify

FIXTURE = Path(__file__).parent.parent / "fixtures" / "parity" / "llama-a"
WINDOW, STRIDE = 8, 4


def write_tokenizer(folder):
    """Byte-level BPE without merges over a few letters: one token per byte."""
    letters = ["<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz", "Ġ", "Ċ", "Ã", "©"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|endoftext|>", normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))


def write_gguf(folder, path):
    """The folder as a llama GGUF in F32: rows of q and k in the order of interleaved RoPE."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.model.state_dict(prefix="model.").items():
        for part, heads in (("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)):
            if part in name:
                tensor = tensor.reshape(heads, 2, -1, config.hidden_size).transpose(1, 2).reshape(tensor.shape)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), tensor.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def naive_bits(folder, texts):
    """The definition, one prediction at a time: which window scores it, then a pass over that window alone."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    nats = 0.0
    for text in texts:
        ids = [0] + tokenizer.encode(text, add_special_tokens=False)
        for predicted in range(1, len(ids)):
            start = 0
            while predicted > start + WINDOW:
                start += STRIDE
            with torch.no_grad():
                logits = model(torch.tensor([ids[start:predicted]])).logits[0, -1]
            nats -= torch.log_softmax(logits, -1)[ids[predicted]].item()
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.disable_progress_bar()
        cls.folder = tempfile.TemporaryDirectory()
        cls.nest = nest = Path(cls.folder.name) / "nest"
        parent, imago = nest / "parent", nest / "imago"
        parent.mkdir(parents=True)
        for name in ("config.json", "model.safetensors"):
            shutil.copy(FIXTURE / name, parent)
        # GGUF keeps llama3 scaling as a tensor of factors, which transformers does not read
        config = json.loads((parent / "config.json").read_text())
        (parent / "config.json").write_text(json.dumps(config | {"rope_scaling": None}))
        write_tokenizer(parent)
        merged = verify.load_adapter(parent, FIXTURE / "lora").merge_and_unload()
        merged.save_pretrained(imago)
        shutil.copytree(FIXTURE / "lora", imago / "adapter")
        write_tokenizer(imago)
        cls.gguf = nest / "base.gguf"
        write_gguf(parent, cls.gguf)

        choose = random.Random(1)
        texts = {
            name: ["".join(choose.choice("abc é\nxyz") for _ in range(n)) for n in lengths]
            for name, lengths in {"heldout": [1, 7, 8, 9, 12, 13, 31], "retention": [20, 3]}.items()
        }
        for name, of in texts.items():
            lines = [json.dumps({"id": str(i), "text": text}, ensure_ascii=False) for i, text in enumerate(of)]
            (nest / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        cls.report = {"evaluation": {"window": WINDOW, "stride": STRIDE}}
        for when, folder in (("before", parent), ("after", imago)):
            cls.report[when] = {"bitsPerByte": naive_bits(folder, texts["heldout"]),
                                "retentionBitsPerByte": naive_bits(folder, texts["retention"])}
        cls.ids = [choose.randrange(61) for _ in range(30)]
        cls.nll = {}
        for subject, folder in (("gguf", parent), ("imago", imago)):
            logits = verify.logits_of(verify.load_model(folder), cls.ids)
            cls.nll[subject] = verify.nll_of(logits, cls.ids).tolist()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_verify(self, *extra, report=None, scores=None, ids=None):
        nest, scores = self.nest, scores or self.nll
        (nest / "imago" / "report.json").write_text(json.dumps(report or self.report))
        (nest / "ids.json").write_text(json.dumps(ids or self.ids))
        arguments = [str(nest), "--gguf", str(self.gguf), "--ids", str(nest / "ids.json"), "--json", *extra]
        for subject, nll in scores.items():
            (nest / f"{subject}.json").write_text(json.dumps({"nll": nll}))
            arguments += ["--score", f"{subject}={nest / subject}.json"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = verify.main(arguments)
        return code, [r["check"] for r in json.loads(out.getvalue())["checks"] if not r["ok"]] if code != 2 else err.getvalue()

    def test_all_agree(self):
        result = {key: self.report[key] for key in ("before", "after")}
        (self.nest / "result.json").write_text(json.dumps(result))
        self.assertEqual(self.run_verify("--result", str(self.nest / "result.json")), (0, []))

    def test_the_figures_are_the_definition(self):
        for tokens in (1, 20, 4096):
            documents = verify.read_documents(self.nest / "heldout.jsonl")
            parent = self.nest / "parent"
            with contextlib.redirect_stderr(io.StringIO()):
                bits = verify.score_documents(verify.load_model(parent), AutoTokenizer.from_pretrained(parent), 0, documents,
                                              WINDOW, STRIDE, tokens, "")
            self.assertAlmostEqual(bits, self.report["before"]["bitsPerByte"], places=5)

    def test_a_figure_that_is_off_by_one_percent_is_found(self):
        for when in ("before", "after"):
            for key, name in (("bitsPerByte", "held-out"), ("retentionBitsPerByte", "retention")):
                report = json.loads(json.dumps(self.report))
                report[when][key] *= 1.01
                self.assertEqual(self.run_verify(report=report), (1, [f"bits per byte, {name}, {when} (report)"]))

    def test_another_window_is_found(self):
        report = self.report | {"evaluation": {"window": 4, "stride": 2}}
        self.assertEqual(self.run_verify(report=report)[0], 1)

    def test_a_wrong_score_is_found(self):
        nll = list(self.nll["gguf"])
        nll[7] += 2e-3
        self.assertEqual(self.run_verify("--skip-bits", scores={"gguf": nll}), (1, ["score gguf"]))

    def test_an_adapter_that_was_not_merged_is_found(self):
        other = self.nest / "imago" / "model.safetensors"
        kept = other.read_bytes()
        try:
            shutil.copy(self.nest / "parent" / "model.safetensors", other)
            code, failed = self.run_verify("--skip-bits", scores={"gguf": self.nll["gguf"]})
        finally:
            other.write_bytes(kept)
        self.assertEqual((code, failed), (1, ["merged, adapter on parent"]))

    def test_wrong_requests(self):
        self.assertIn("1 values where there should be 29", self.run_verify(scores={"gguf": [1.0]})[1])
        self.assertIn("evaluation.window", self.run_verify(report={**self.report, "evaluation": {}})[1])
        self.assertIn("lacks bitsPerByte", self.run_verify(report={"before": {}, "after": {}})[1])
        self.assertIn("write gguf=FILE", self.run_verify(scores={"larva": [1.0]})[1])
        self.assertIn("no token 'nothing'", self.run_verify("--separator", "nothing")[1])


if __name__ == "__main__":
    unittest.main()

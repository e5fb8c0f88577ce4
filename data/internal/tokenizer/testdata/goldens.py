"""Trains small tokenizers on text.txt and writes what they make of texts.

    python goldens.py

It was run with tokenizers 0.23.3 of Python 3.11 (see requirements.txt), and writes
*.json beside it: NAME.json is a tokenizer, goldens.json has for each of them texts
with their ids (encode with add_special_tokens=False) and what decode makes of these
(skip_special_tokens=False). Two trainings of Unigram differ in the order of some scores.
"""

import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

here = pathlib.Path(__file__).parent
lines = (here / "text.txt").read_text().splitlines(keepends=True)


def train(name, model, trainer, normalizer=None, pre=None, decoder=None, added=()):
    t = Tokenizer(model)
    if normalizer is not None:
        t.normalizer = normalizer
    if pre is not None:
        t.pre_tokenizer = pre
    if decoder is not None:
        t.decoder = decoder
    if trainer is not None:
        t.train_from_iterator(lines, trainer)
    t.add_tokens(list(added))
    t.save(str(here / f"{name}.json"), pretty=False)
    return name


def split(name, *patterns):
    steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns] + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    return train(
        name,
        models.BPE(),
        trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=["<s>"], **quiet),
        pre=pre_tokenizers.Sequence(steps),
        decoder=decoders.ByteLevel(),
    )


quiet = {"show_progress": False}
alphabet = pre_tokenizers.ByteLevel.alphabet()
byte_tokens = [f"<0x{b:02X}>" for b in range(256)]

names = [
    train(
        "gpt2",
        models.BPE(),
        trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], **quiet),
        pre=pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoder=decoders.ByteLevel(),
    ),
    train(
        "roberta",
        models.BPE(ignore_merges=True),
        trainers.BpeTrainer(vocab_size=360, initial_alphabet=alphabet, special_tokens=["<s>", "</s>", "<unk>"], **quiet),
        pre=pre_tokenizers.ByteLevel(add_prefix_space=True),
        decoder=decoders.ByteLevel(),
        added=[AddedToken("<mask>", lstrip=True, special=True), AddedToken("lock", single_word=True)],
    ),
    train(
        "starcoder",
        models.BPE(),
        trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, special_tokens=["<s>"], **quiet),
        normalizer=normalizers.NFC(),
        pre=pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]),
        decoder=decoders.ByteLevel(),
        added=[AddedToken("<r>", rstrip=True)],
    ),
    train(
        "bert",
        models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20),
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], **quiet),
        normalizer=normalizers.BertNormalizer(),
        pre=pre_tokenizers.BertPreTokenizer(),
        decoder=decoders.WordPiece(),
        added=[AddedToken("NewTOKEN"), AddedToken("Über", normalized=True)],
    ),
    train(
        "cased",
        models.WordPiece(unk_token="[UNK]"),
        trainers.WordPieceTrainer(vocab_size=250, special_tokens=["[UNK]"], **quiet),
        normalizer=normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False),
        pre=pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous")]),
        decoder=decoders.WordPiece(cleanup=False),
    ),
    train(
        "unigram",
        models.Unigram(),
        trainers.UnigramTrainer(vocab_size=250, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", **quiet),
        normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
        pre=pre_tokenizers.Metaspace(),
        decoder=decoders.Metaspace(),
    ),
    train(
        "first",
        models.Unigram([("<unk>", 0.0), ("▁", -3.5)] + [(t, -9.0) for t in byte_tokens] + [("the", -2.0), ("▁the", -2.5), ("th", -2.25), ("e", -4.0), ("t", -5.0), ("h", -5.0), ("▁lock", -4.0), ("ing", -3.0)], 0, True),
        None,
        pre=pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
        decoder=decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="never"), decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
        added=[AddedToken("<s>", special=True)],
    ),
    train(
        "llama",
        models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
        trainers.BpeTrainer(vocab_size=420, special_tokens=["<unk>", "<s>", "</s>"] + byte_tokens, **quiet),
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
    ),
    train(
        "clip",
        models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", continuing_subword_prefix="@@"),
        trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], end_of_word_suffix="</w>", continuing_subword_prefix="@@", **quiet),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Strip(), normalizers.Lowercase()]),
        pre=pre_tokenizers.Whitespace(),
        decoder=decoders.Sequence([decoders.Replace("@@", ""), decoders.BPEDecoder()]),
    ),
    train(
        "words",
        models.WordLevel(unk_token="<unk>"),
        trainers.WordLevelTrainer(vocab_size=120, special_tokens=["<unk>", "<eos>"], **quiet),
        normalizer=normalizers.NFKD(),
        pre=pre_tokenizers.Sequence([
            pre_tokenizers.Split("-", "merged_with_next"), pre_tokenizers.Digits(), pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.CharDelimiterSplit("_")]),
    ),
    split("llama3", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    split("gpt4o", "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    split("deepseek", "\\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
          "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
    train(
        "openclip",
        models.BPE(),
        trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, special_tokens=["<s>"], **quiet),
        normalizer=normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex("\\s+"), " "), normalizers.Lowercase()]),
        pre=pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex("'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
        decoder=decoders.ByteLevel(),
    ),
    train(
        "words_regex",
        models.WordLevel(unk_token="<unk>"),
        trainers.WordLevelTrainer(vocab_size=150, special_tokens=["<unk>"], **quiet),
        pre=pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\d{2,3}|(?:\w|')+?[aeiou]|\S"), "merged_with_previous"), pre_tokenizers.Split(Regex(r"\s+(?!\S)|\W"), "isolated")]),
    ),
]

texts = [
    "", " ", "\n", "  ", "a", "The lock was old.", "the locks'  don't  lock!\n\nIn the morning, it's open.",
    "  leading and trailing  \n", "tabs\tand\r\nlines\n \n  x", "12 345.67 ½ ② ٣ x9y", "naïve café Ångström ﬁnd Æ İstanbul Straße",
    "e\u0301 \u0301x \u1100\u1161 \u00b4 \u037a", "夜に駆ける 新しい朝\n夜", "emoji 👩‍👩‍👧 🎈!! \u200b\u200d\ufeff\u00ad\u00a0\u3000x", "zero\x00bell\x07del\x7f\ufffd",
    "<s>the</s> <unk> <mask>  x  <mask><r>  y <r>z", "[CLS] the [SEP][MASK] newtoken NEWTOKEN über ÜBER Uber", "<|endoftext|>the<|endoftext|> lock",
    "lock locks unlock lock. (lock)_lock lock夜", "don't we'll I'd they're I've I'm 's''s ' s", "a-b--c- -d __x_y_ (z)) ¿qué? «x» — …",
    "supercalifragilisticexpialidocious antidisestablishmentarianism", "▁the ▁▁lock ▁", "Ġthe ĊĊ <0x41> <0x0A>", "@@lock </w> ##lock", "aaaaaaaaaaaaaaaaaaaaaaaaa",
    "the the the\nthe\n\nthe \n the", "xÿþ\u0378\U0010ffff\ue000 ǅ ß ΑΣ ς",
]
out = []
for name in names:
    t = Tokenizer.from_file(str(here / f"{name}.json"))
    cases = []
    for text in texts:
        ids = t.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": t.decode(ids, skip_special_tokens=False) if ids else ""})
    out.append({"name": name, "size": t.get_vocab_size(), "cases": cases})
(here / "goldens.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")

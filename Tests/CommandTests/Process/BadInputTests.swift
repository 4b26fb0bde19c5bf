import Foundation
import TestSupport
import Testing

/// What is wrong is said in one line that names the thing and what was expected; the command line's mistakes exit
/// 2, those of files, models and the machine 1; and nothing is left behind.
struct BadInputTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  /// - Parameter parts: what the line must hold.
  private func expectRefusal(
    _ status: Int32, _ arguments: [String], _ parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let before = sandbox.contents
    let result = try BuiltCommand.run(arguments, in: sandbox)
    let call = Comment(rawValue: arguments.joined(separator: " "))
    #expect(result.status == status, call, sourceLocation: location)
    #expect(result.output == "", call, sourceLocation: location)
    #expect(result.errorLines.count == 1, call, sourceLocation: location)
    #expect(result.error.hasPrefix("gpt2-bench: "), call, sourceLocation: location)
    for part in parts {
      #expect(result.error.contains(part), call, sourceLocation: location)
    }
    #expect(sandbox.contents == before, call, sourceLocation: location)
  }

  @Test func unknownNames() throws {
    try expectRefusal(
      2, ["fast"], "unknown subcommand 'fast'", "expected one of all, run, matmul, ops, check")
    try expectRefusal(2, ["all", "--modle", "x"], "unknown option '--modle'", "--model")
    try expectRefusal(2, ["all", "--variants", "naive,fast"], "'fast'", "naive, unrolled8, tiled")
    try expectRefusal(2, ["generate", "--variant", "fast"], "'fast'", "kv-cache")
    try expectRefusal(2, ["all", "--model", "gpt5"], "unknown model 'gpt5'", "synthetic:gpt2")
    try expectRefusal(2, ["all", "--model", "synthetic:huge"], "'synthetic:huge'", "synthetic:tiny")
    try expectRefusal(2, ["all", "--model", "synthetic:2,3,64,512,128"], "heads is 3", "a divisor of the 64")
    try expectRefusal(2, ["all", "--model", "synthetic:0,1,1,1,1"], "layers is 0", "from 1 to")
    try expectRefusal(2, ["all", "--suite", "slow"], "'slow'", "full, quick")
    try expectRefusal(2, ["list", "kernels"], "'kernels'", "variants, models, suites or baselines")
    try expectRefusal(
      2, ["list"], "operand is missing", "usage: gpt2-bench list variants|models|suites|baselines")
  }

  /// The sandbox's machine has no BLAS.
  @Test func aVariantThatNeedsWhatTheMachineLacks() throws {
    for arguments in [
      ["matmul", "--size", "8x8", "--variants", "naive,blas"],
      ["generate", "--ids", "1", "--variant", "blas", "--model", "synthetic:tiny"],
    ] {
      try expectRefusal(
        1, arguments, " blas: GPT2_BENCH_BLAS is set to nothing", "the file of a CBLAS library")
    }
  }

  @Test func sizesAndCounts() throws {
    try expectRefusal(2, ["matmul", "--size", "768x"], "'768x'", "[Mx]KxN")
    try expectRefusal(2, ["matmul"], "--size", "for example 768x3072")
    try expectRefusal(2, ["matmul", "--size", "8x8", "-r", "0"], "-r: found '0'", "from 1 to")
    try expectRefusal(2, ["matmul", "--size", "8x8", "-t", "0"], "-t: found '0'", "from 1 to 256")
    try expectRefusal(2, ["matmul", "--size", "8x8", "--budget", "1e300"], "'1e300'", "from 0.001 to 86400")
    try expectRefusal(2, ["matmul", "--size", "8x8", "--format", "xml"], "'xml'", "md, csv, json")
    try expectRefusal(1, ["matmul", "--size", "1048576x1048576"], "MiB", "at most half of this machine's")
    try expectRefusal(2, ["ops", "--ops", "norm"], "--ops: found 'norm'", "embedding, layernorm, attention")
    try expectRefusal(2, ["ops", "--rows", "0"], "--rows: found '0'", "from 1 to 1024")
    try expectRefusal(2, ["ops", "-d", "1024"], "-d: found '1024'", "at most 960")
    try expectRefusal(2, ["ops", "--format", "llama-bench"], "'llama-bench'", "md, csv, json")
    try expectRefusal(2, ["ops", "--model", "gpt5"], "unknown model 'gpt5'", "synthetic:gpt2")
    try expectRefusal(
      1, ["ops", "--model", "synthetic:1,1024,1048576,9,1048576", "--rows", "1048576"],
      "--rows, -d: all shapes",
      "at most half of this machine's")
    try expectRefusal(2, ["run", "--model", "synthetic:tiny"], "neither -p nor -n")
    try expectRefusal(2, ["run", "-d", "3", "--model", "synthetic:tiny"], "-d: found '3'", "-n with it")
    try expectRefusal(2, ["compare", "a", "b", "--max-regression", "200%"], "'200%'", "below 100%")
    try expectRefusal(
      2, ["compare", "a", "b", "--max-regression", "5%,speed=2%"], "--max-regression: found 'speed'",
      "one of decode, prefill")
    try expectRefusal(
      2, ["compare", "a", "b", "--rows", "naive,"], "--rows: found 'naive,'", "words of a row")
  }

  @Test func beyondTheContext() throws {
    let tiny = ["--model", "synthetic:tiny"]
    try expectRefusal(2, ["run", "-p", "129"] + tiny, "pp129", "at most 129")
    try expectRefusal(2, ["run", "-n", "64", "-d", "80"] + tiny, "tg64 @ d80", "at most 129")
    try expectRefusal(
      2, ["generate", "--ids", "1 2", "--print-ids", "-n", "127"] + tiny, "-n: found '127'", "at most 126")
    try expectRefusal(
      2, ["generate", "--ids", "1", "--print-ids", "-n", "\(Int.max)"] + tiny, "'\(Int.max)'", "at most 127")
    let long = String(repeating: "no more of that. ", count: 200)
    try expectRefusal(
      2, ["generate", long, "--model", sandbox.tinyModel], "tokens do not fit the model's context of 256")
    let ids = [String](repeating: "1", count: 129).joined(separator: " ")
    try expectRefusal(2, ["logits", "--ids", ids, "--out", "l.npy"] + tiny, "129 tokens", "context of 128")
  }

  @Test func prompts() throws {
    let tiny = ["--model", sandbox.tinyModel]
    try expectRefusal(2, ["generate", ""] + tiny, "the prompt is empty", "expected at least one token")
    try expectRefusal(2, ["generate", "--ids", ""] + tiny, "the prompt is empty")
    try expectRefusal(2, ["logits", "--ids", "", "--out", "l.npy"] + tiny, "the prompt is empty")
    try expectRefusal(2, ["generate", "--ids", "1", "text"] + tiny, "--ids: found a text prompt too")
    try expectRefusal(2, ["generate", "a", "b"] + tiny, "unexpected operand 'b'")
    try expectRefusal(2, ["generate", "a", "--model", "synthetic:tiny"], "no tokenizer", "--ids")
    try expectRefusal(2, ["generate", "a", "--temperature", "-1"] + tiny, "--temperature: found '-1',")
    try expectRefusal(2, ["generate", "a", "--top-p", "2"] + tiny, "--top-p: found '2'", "at most 1")
    try expectRefusal(2, ["chat", "--temperature", "-1"] + tiny, "--temperature: found '-1',")
    try expectRefusal(2, ["generate", "a", "--top-k", "0"] + tiny, "--top-k: found '0'")
  }

  @Test func idsOutsideTheVocabulary() throws {
    for words in [
      ["generate", "--ids", "1 1024", "--print-ids"], ["tokenize", "--decode", "1024"],
      ["logits", "--ids", "1024", "--out", "l.npy"],
    ] {
      try expectRefusal(2, words + ["--model", sandbox.tinyModel], "token id 1024", "expected 0 to 1023")
    }
    try expectRefusal(2, ["tokenize", "--decode", "1 x"], "'x'", "token ids")
  }

  @Test func weightsThatCannotBeRead() throws {
    try expectRefusal(1, ["all", "--model", "no/model"], "no/model", "no such file or folder")
    try expectRefusal(1, ["all", "--model", "no.safetensors"], "no.safetensors", "no such file")
    _ = try sandbox.folder("empty")
    try expectRefusal(1, ["generate", "a", "--model", "./empty"], "empty: no weights in it", "config.json")
    try sandbox.copy(sandbox.tinyModel, to: "cut")
    let path = sandbox.path("cut/model.safetensors")
    let weights = try Data(contentsOf: URL(fileURLWithPath: path))
    for count in [0, 7, 100, 10_000, weights.count - 1] {
      try weights.prefix(count).write(to: URL(fileURLWithPath: path))
      try expectRefusal(1, ["generate", "a", "--model", "cut"], "cut/model.safetensors")
      try expectRefusal(1, ["all", "--model", "cut", "--out", "never"], "cut/model.safetensors")
    }
    try expectRefusal(
      1, ["export", "--model", "cut", "--format", "safetensors", "--out", "e"], "cut/model.safetensors")
  }

  @Test func configurationsThatContradictTheTensors() throws {
    try sandbox.copy(sandbox.tinyModel, to: "odd")
    let whole = try sandbox.text("odd/config.json")
    for (field, value) in [
      ("n_embd", "64"), ("n_layer", "5"), ("vocab_size", "1000"), ("n_positions", "300"),
    ] {
      let changed = whole.replacing(try Regex("\"\(field)\" *: *[0-9]+"), with: "\"\(field)\": \(value)")
      #expect(changed != whole)
      try sandbox.file("odd/config.json", changed)
      try expectRefusal(1, ["generate", "a", "--model", "odd"], "odd/model.safetensors: tensor ")
    }
    try sandbox.file(
      "odd/config.json", whole.replacing(try Regex("\"n_head\" *: *[0-9]+"), with: "\"n_head\": 3"))
    try expectRefusal(1, ["generate", "a", "--model", "odd"], "odd/config.json", "heads", "a divisor of")
    try sandbox.file("odd/config.json", "{")
    try expectRefusal(1, ["generate", "a", "--model", "odd"], "odd/config.json", "JSON")
  }

  @Test func vocabulariesThatContradictTheModel() throws {
    let arguments = ["export", "--model", "synthetic:tiny", "--format", "safetensors", "--out", "small"]
    try expectEqual(BuiltCommand.run(arguments, in: sandbox).status, 0)
    for name in ["vocab.json", "merges.txt"] {
      try sandbox.copy(sandbox.tinyModel + "/" + name, to: "small/" + name)
    }
    try expectRefusal(
      1, ["generate", "a", "--model", "small"], "small/vocab.json: found 1024 tokens", "vocabulary of 512")
    try sandbox.file("small/vocab.json", "{")
    try expectRefusal(1, ["generate", "a", "--model", "small"], "small/vocab.json:1:")
    try expectRefusal(1, ["tokenize", "a", "--model", "small"], "small/vocab.json:1:")
  }

  @Test func outputsThatCannotBeWritten() throws {
    let tiny = ["--model", "synthetic:tiny"]
    try sandbox.file("file", "")
    try expectRefusal(1, ["run", "-p", "8", "--out", "file"] + tiny, "file: is a file", "expected a folder")
    try expectRefusal(1, ["run", "-p", "8", "--out", "file/below"] + tiny, "file/below")
    try expectRefusal(2, ["run", "-p", "8", "--out", ""] + tiny, "--out", "expected a folder")
    try expectRefusal(1, ["matmul", "--size", "8x8", "--out", "no/f.md"], "no/f.md", "there is no folder")
    try expectRefusal(1, ["matmul", "--size", "8x8", "--out", "."], "--out: found the folder .")
    try expectRefusal(
      1, ["logits", "--ids", "1", "--out", "no/l.npy"] + tiny, "no/l.npy", "there is no folder")
    let export = ["export", "--format", "safetensors"] + tiny
    try expectRefusal(1, export + ["--out", "no/m.safetensors"], "no/m.safetensors", "cannot be written")
    try expectRefusal(1, export + ["--out", "file"], "file", "cannot be written")
    try expectRefusal(2, export, "--out: found nothing")
    for format in ["llmc", "seed"] {
      let other = ["export", "--format", format] + tiny
      try expectRefusal(1, other + ["--out", "no/m.bin"], "no/m.bin", "cannot be written")
      try expectRefusal(1, other + ["--out", "file"], "file", "cannot be written")
    }
    let gguf = ["export", "--format", "gguf"] + tiny
    try expectRefusal(1, gguf + ["--out", "no/m.gguf"], "no/m.gguf", "cannot be written")
    try expectRefusal(1, gguf + ["--out", "file"], "file", "cannot be written")
    try expectRefusal(
      2, gguf + ["--out", "m.gguf", "--weights", "q6_k"], "--weights", "'q6_k'", "f32, f16, bf16, q8_0, q4_0")
    try expectRefusal(
      2, export + ["--out", "m", "--weights", "q8_0"], "--weights: found q8_0 with --format safetensors",
      "expected --format gguf")
    try expectRefusal(
      1,
      [
        "export", "--format", "gguf", "--weights", "q4_0", "--model", "synthetic:1,1,48,9,4", "--out",
        "m.gguf",
      ],
      "m.gguf: cannot be written: q4_0 has blocks of 32 weights", "the 48 channels of synthetic:1,1,48,9,4")
    try expectRefusal(2, ["export", "--format", "onnx"] + tiny, "'onnx'", "safetensors, llmc, seed, gguf")
  }

  @Test func malformedReferences() throws {
    let tiny = ["--model", "synthetic:tiny", "--variants", "naive"]
    _ = try sandbox.folder("r")
    try expectRefusal(1, ["check", "--reference", "none"] + tiny, "none", "no such folder")
    try expectRefusal(1, ["check", "--reference", "r"] + tiny, "r: no reference.json in it")
    for (text, problem) in [("x", "JSON"), ("{}", "format"), (#"{"format": 9}"#, "case")] {
      try sandbox.file("r/reference.json", text)
      try expectRefusal(1, ["check", "--reference", "r"] + tiny, "r/reference.json", problem)
      try expectRefusal(
        1, ["run", "-p", "8", "--reference", "r", "--out", "never"] + tiny, "r/reference.json", problem)
    }
    try sandbox.copy(Sandbox.project + "/Benchmarks/reference/tiny-synthetic", to: "cut")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: sandbox.path("cut/p0.npy")))
    try expectRefusal(1, ["check", "--reference", "cut"] + tiny, "cut/p0.npy", "not a .npy file")
  }

  @Test func malformedRecords() throws {
    try expectRefusal(1, ["compare", "a.json", "b.json"], "a.json: no such file", "expected a record.json")
    try expectRefusal(2, ["compare", "a.json"], "found 1 operand", "BASE and HEAD")
    try sandbox.file("bad.json", "{")
    try expectRefusal(1, ["report", "bad.json"], "bad.json: not JSON", "expected a record.json")
    try sandbox.file("other.json", #"{"schema": 99}"#)
    try expectRefusal(1, ["report", "other.json"], "other.json: schema", "99", "expected 1")
    try expectRefusal(1, ["report", "."], "is a folder")
    try expectRefusal(
      2, ["report", "other.json", "--format", "xml"], "--format: found 'xml'", "md, csv, json, html, github,")
    try expectRefusal(2, ["compare", "a", "b", "--format", "llama-bench"], "github, github-action, bmf")
    let all = ["all", "--model", "synthetic:tiny", "--out", "never", "--baseline"]
    try expectRefusal(1, all + ["bad.json"], "bad.json: not JSON")
    try expectRefusal(1, all + ["none.json"], "none.json: no such file")
  }

  @Test func malformedSuites() throws {
    try sandbox.file("s.json", "{}")
    let all = ["all", "--model", "synthetic:tiny", "--out", "never", "--suite", "s.json"]
    try expectRefusal(1, all, "s.json: summary", "expected a value")
  }

  @Test func aHomeThatIsNone() throws {
    let result = try BuiltCommand.run(
      ["list", "suites"], in: sandbox, environment: ["GPT2_BENCH_HOME": sandbox.work])
    expectEqual(result.status, 1)
    expectEqual(
      result.error, "gpt2-bench: list: GPT2_BENCH_HOME: \(sandbox.work) has no folder Benchmarks/suites\n")
  }

  #if os(Linux)
    @Test func aResultThatNobodyCanTakeIsAnError() throws {
      let running = try RunningCommand(["list", "variants"], in: sandbox, output: "/dev/full")
      let result = try running.result(within: 20)
      expectEqual(result.status, 1)
      expectEqual(result.error, "gpt2-bench: standard output: cannot be written: no space left on device\n")
    }
  #endif
}

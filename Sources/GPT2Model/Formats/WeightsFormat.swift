import Foundation

/// The formats of weights, told apart by what a file holds, not by what it is called.
public enum WeightsFormat: String, CaseIterable, Sendable {
  case safetensors
  /// `model.safetensors.index.json`, which names several files.
  case safetensorsIndex
  /// llm.c's `gpt2_124M.bin`.
  case llmc
  /// `model.bin`: five int32, then float32.
  case seed
  /// llama.cpp's, with a tokenizer in it.
  case gguf
  /// A pickle of PyTorch's, in a zip archive or bare. Never opened.
  case pytorch

  static let expectation =
    "a .safetensors or .gguf file, llm.c's gpt2_124M.bin, or a seed model.bin (five int32, then float32)"

  /// - Throws: `ModelError.unreadable`, and `.malformed` for a file in none of the formats.
  init(of path: String) throws(ModelError) {
    let mapping = try Mapping(readingFile: path)
    defer { withExtendedLifetime(mapping) {} }
    let bytes = mapping.bytes
    let name = URL(fileURLWithPath: path).lastPathComponent
    if let format = Self.marked(bytes) {
      self = format
    } else if name.hasSuffix(".safetensors") {
      self = .safetensors
    } else if name.hasSuffix(".gguf") {
      self = .gguf
    } else if name.hasSuffix(".index.json") {
      self = .safetensorsIndex
    } else if name.hasPrefix("gpt2_"), name.hasSuffix(".bin") {
      self = .llmc
    } else if name == "model.bin" || (try? SequentialFile(seed: mapping, path: path)) != nil {
      // A seed has no mark, but begins with a GPT-2's shape.
      self = .seed
    } else {
      let first = bytes.prefix(8).map { String(format: "%02x", $0) }.joined(separator: " ")
      throw .malformed(
        path: path,
        problem: "unknown kind of file, its first bytes are \(first), expected \(Self.expectation)")
    }
  }

  /// By the bytes with which each format that has such begins.
  private static func marked(_ bytes: UnsafeRawBufferPointer) -> WeightsFormat? {
    guard bytes.count >= 9 else { return nil }
    if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return .pytorch }
    if bytes.starts(with: GGUFHeader.magic) { return .gguf }
    // A header's length, and the JSON object that it is the length of.
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let longest = UInt64(min(bytes.count, SafetensorsHeader.longestHeader))
    if length <= longest, bytes[8] == UInt8(ascii: "{") { return .safetensors }
    // PROTO of a protocol that there is. A seed with so many layers would be in the way, and is none.
    if bytes[0] == 0x80, 2...5 ~= bytes[1] { return .pytorch }
    return bytes.loadUnaligned(as: Int32.self).littleEndian == SequentialFile.llmcMagic ? .llmc : nil
  }
}

public enum ModelFolder {
  public static func holdsWeights(_ folder: String) -> Bool { (try? weights(in: folder)) != nil }

  /// The GGUF file that is the model of a folder; nil where another file is, or none.
  static func gguf(in folder: String) -> String? {
    guard let path = try? weights(in: folder), path.hasSuffix(".gguf") else { return nil }
    return path
  }

  /// The one file of weights in a folder: the first of `model.safetensors`, `model.safetensors.index.json`,
  /// `*.gguf`, `gpt2_*.bin` (llm.c's, float32 before bfloat16), `model.bin` and `pytorch_model.bin`.
  /// - Throws: `ModelError.malformed` where there is none, and where several are equally good.
  static func weights(in folder: String) throws(ModelError) -> String {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
      throw .unreadable(path: folder, reason: "no such folder, or it may not be read")
    }
    for isWanted in wanted {
      let found = names.filter(isWanted)
      if found.count > 1 {
        throw .malformed(
          path: folder,
          problem:
            "holds \(found.joined(separator: ", ")), expected one model, or the name of one of these files")
      }
      if let name = found.first { return folder + "/" + name }
    }
    throw .malformed(
      path: folder,
      problem: "no weights in it, expected model.safetensors with its config.json, a .gguf file, llm.c's "
        + "gpt2_124M.bin, or a seed model.bin")
  }

  private static let wanted: [@Sendable (String) -> Bool] = [
    { $0 == "model.safetensors" },
    { $0 == "model.safetensors.index.json" },
    { $0.hasSuffix(".gguf") },
    { isLLMC($0) && !$0.contains("_bf16") },
    { isLLMC($0) },
    { $0 == "model.bin" },
    { $0 == "pytorch_model.bin" },
  ]

  /// llm.c writes `gpt2_124M.bin` and `gpt2_124M_bf16.bin` side by side, and other files with such names.
  private static func isLLMC(_ name: String) -> Bool {
    name.hasPrefix("gpt2_") && name.hasSuffix(".bin") && name != LLMCTokenizer.fileName
      && !name.contains("_debug_state")
  }
}

extension Checkpoint {
  /// Opens the weights in a folder. Hugging Face's need their `config.json` beside them.
  public convenience init(folder: String) throws(ModelError) {
    let weights = try ModelFolder.weights(in: folder)
    let format = try WeightsFormat(of: weights)
    let isHuggingFace = format == .safetensors || format == .safetensorsIndex
    let configuration = isHuggingFace ? try Configuration(huggingFace: folder + "/config.json") : nil
    try self.init(weights: weights, as: format, configuration, name: folder)
  }

  /// - Parameter configuration: that safetensors must have; nil to look for it as `init(safetensors:)` does.
  convenience init(
    weights path: String, as format: WeightsFormat, _ configuration: Configuration? = nil, name: String
  ) throws(ModelError) {
    switch format {
    case .safetensors:
      try self.init(SafetensorsContents(file: path), configuration: configuration, name: name)
    case .safetensorsIndex:
      try self.init(SafetensorsContents(index: path), configuration: configuration, name: name)
    case .llmc: try self.init(sequential: path, name: name, SequentialFile.init(llmc:path:))
    case .seed: try self.init(sequential: path, name: name, SequentialFile.init(seed:path:))
    case .gguf: try self.init(gguf: path, name: name)
    case .pytorch:
      throw .malformed(
        path: path,
        problem:
          "PyTorch's pickles can run code when they are read, so they are not; convert it once: python3 -c "
          + "'import sys; from transformers import GPT2LMHeadModel as M; "
          + "M.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[1])' "
          + "\(URL(fileURLWithPath: path).deletingLastPathComponent().relativePath)")
    }
  }
}

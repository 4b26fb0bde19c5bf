import Foundation

/// What `--model` names.
public enum ModelSource: Equatable, Sendable {
  case synthetic(Configuration, name: String)
  /// A folder in which weights, a tokenizer's files, or both lie.
  case folder(String)
  /// A file of weights.
  case file(String, WeightsFormat)

  /// The names of the synthetic models with a fixed shape, in ascending size.
  public static let namedSynthetics = [
    "synthetic:tiny", "synthetic:gpt2", "synthetic:gpt2-medium", "synthetic:gpt2-large",
    "synthetic:gpt2-xl",
  ]

  /// - Throws: `ModelError.unknownModel` for a name that is neither a synthetic model nor a path,
  ///   `ModelError.unreadable` for a path where nothing is,
  ///   `ModelError.malformed` for a file in no format that is known,
  ///   `ModelError.configuration` for a synthetic shape that is no GPT-2.
  public init(_ name: String) throws(ModelError) {
    if name.hasPrefix("synthetic:") {
      self = .synthetic(try Self.syntheticConfiguration(name), name: name)
      return
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
      if name.contains("/") || name.hasSuffix(".safetensors") || name.hasSuffix(".bin") {
        throw .unreadable(path: name, reason: "no such file or folder")
      }
      throw .unknownModel(name)
    }
    self = isDirectory.boolValue ? .folder(name) : .file(name, try WeightsFormat(of: name))
  }

  /// The name under which reports show the model.
  public var name: String {
    switch self {
    case .synthetic(_, let name): name
    case .folder(let path), .file(let path, _): path
    }
  }

  /// Whether both name the same model, however its path is written.
  public func isSame(as other: ModelSource) -> Bool {
    func place(_ path: String) -> String {
      URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
    return switch (self, other) {
    case (.synthetic(let a, _), .synthetic(let b, _)): a == b
    case (.folder(let a), .folder(let b)), (.file(let a, _), .file(let b, _)): place(a) == place(b)
    default: false
    }
  }

  /// - Parameter cacheFolder: where generated weights are kept.
  public func open(cacheFolder: String) throws(ModelError) -> Checkpoint {
    switch self {
    case .synthetic(let configuration, let name):
      return try Checkpoint(synthetic: configuration, name: name, cacheFolder: cacheFolder)
    case .folder(let path): return try Checkpoint(folder: path)
    case .file(let path, let format): return try Checkpoint(weights: path, as: format, name: path)
    }
  }

  private static func syntheticConfiguration(_ name: String) throws(ModelError) -> Configuration {
    func shape(_ l: Int, _ h: Int, _ c: Int, _ v: Int, _ t: Int) throws(ModelError) -> Configuration {
      try Configuration(layers: l, heads: h, channels: c, vocabulary: v, context: t)
    }
    switch name.dropFirst("synthetic:".count) {
    case "tiny": return try shape(2, 4, 64, 512, 128)
    case "gpt2": return try shape(12, 12, 768, 50257, 1024)
    case "gpt2-medium": return try shape(24, 16, 1024, 50257, 1024)
    case "gpt2-large": return try shape(36, 20, 1280, 50257, 1024)
    case "gpt2-xl": return try shape(48, 25, 1600, 50257, 1024)
    case let list:
      let numbers = list.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 5, !numbers.contains(nil) else { throw .unknownModel(name) }
      let n = numbers.compactMap { $0 }
      return try shape(n[0], n[1], n[2], n[3], n[4])
    }
  }
}

extension Checkpoint {
  /// Opens the weights in a folder. Hugging Face's need their `config.json` beside them.
  public convenience init(folder: String) throws(ModelError) {
    let weights = try ModelFolder.weights(in: folder)
    switch try WeightsFormat(of: weights) {
    case .safetensors:
      let configuration = try Configuration(huggingFace: folder + "/config.json")
      try self.init(SafetensorsContents(file: weights), configuration: configuration, name: folder)
    case .safetensorsIndex:
      let configuration = try Configuration(huggingFace: folder + "/config.json")
      try self.init(SafetensorsContents(index: weights), configuration: configuration, name: folder)
    case let format: try self.init(weights: weights, as: format, name: folder)
    }
  }
}

import Files
import Foundation

/// What `--model` names.
public enum ModelSource: Equatable, Sendable {
  case synthetic(Configuration, name: String)
  /// A folder in which weights, a tokenizer's files, or both lie.
  case folder(String)
  case file(String, WeightsFormat)

  /// What the names of models with generated weights begin with.
  public static let syntheticPrefix = "synthetic:"
  /// The names of the synthetic models with a fixed shape, in ascending size.
  public static let namedSynthetics = shapes.map(\.key)

  /// Layers, heads, channels, vocabulary and context of each.
  private static let shapes: KeyValuePairs = [
    "synthetic:tiny": [2, 4, 64, 512, 128],
    "synthetic:gpt2": [12, 12, 768, 50257, 1024],
    "synthetic:gpt2-medium": [24, 16, 1024, 50257, 1024],
    "synthetic:gpt2-large": [36, 20, 1280, 50257, 1024],
    "synthetic:gpt2-xl": [48, 25, 1600, 50257, 1024],
  ]

  /// - Throws: `ModelError.unknownModel` for a name that is neither a synthetic model nor a path,
  ///   `ModelError.unreadable` for a path where nothing is, `ModelError.malformed` for a file in no format that is
  ///   known, `ModelError.configuration` for a synthetic shape that is no GPT-2.
  public init(_ name: String) throws(ModelError) {
    if name.hasPrefix(Self.syntheticPrefix) {
      self = .synthetic(try Self.syntheticConfiguration(name), name: name)
      return
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isDirectory) else {
      if name.contains("/") || name.hasSuffix(".safetensors") || name.hasSuffix(".bin") {
        throw .unreadable(path: name, reason: "no such file or folder" + Self.neighbour(of: name))
      }
      throw .unknownModel(name)
    }
    self = isDirectory.boolValue ? .folder(name) : .file(name, try WeightsFormat(of: name))
  }

  /// The synthetic model that an unknown name may have meant, as an error's end.
  static func advice(for name: String) -> String {
    let prefix = syntheticPrefix
    let word = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    let names = namedSynthetics.map { String($0.dropFirst(prefix.count)) }
    return NearestName.nearest(to: word, among: names).map { "; did you mean '\(prefix)\($0)'?" } ?? ""
  }

  /// What lies beside a path that is not there and may have been meant, likewise.
  private static func neighbour(of path: String) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().map { $0 + "/" }.joined()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    return NearestName.nearest(to: String(parts.last ?? ""), among: names.sorted())
      .map { "; did you mean '\(folder)\($0)'?" } ?? ""
  }

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
    let n: [Int?] =
      shapes.first { $0.key == name }?.value
      ?? name.dropFirst(syntheticPrefix.count).split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0) }
    guard n.count == 5, let layers = n[0], let heads = n[1], let channels = n[2], let vocabulary = n[3],
      let context = n[4]
    else { throw .unknownModel(name) }
    return try Configuration(
      layers: layers, heads: heads, channels: channels, vocabulary: vocabulary, context: context)
  }
}

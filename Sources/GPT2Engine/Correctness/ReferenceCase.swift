import Foundation
import GPT2Kernels
import GPT2Model

/// Logits of one model from an independent implementation: a folder with `reference.json` and `.npy` files, as
/// `scripts/reference_logits.py` writes it.
public struct ReferenceCase: Sendable {
  public struct Prompt: Sendable {
    public let name: String
    public let ids: [Int]
    /// Positions whose logits are known in full.
    public let positions: [Int]
    /// (positions, vocabulary)
    public let logits: NPY
    /// The largest logit's id at every position.
    public let argmax: [Int]
    /// The five largest logits' ids, and the logits, at every position.
    public let top: [[Int]]
    public let topLogits: [[Double]]
    /// The largest absolute logit at any position.
    public let largestLogit: Double
    /// The greedy continuation; empty where none was made.
    public let greedy: [Int]
  }

  public let name: String
  /// A model's name as `--model` takes it, a path relative to the project.
  public let model: String
  public let prompts: [Prompt]

  static let format = 1

  public var hasRandomWeights: Bool { model.hasPrefix(ModelSource.syntheticPrefix) }
}

extension ReferenceCase {
  public init(folder: String) throws(ModelError) {
    let path = folder + "/reference.json"
    let file = try File.read(path, format: Self.format)
    name = file.case
    model = file.model
    prompts = try file.prompts.map { prompt throws(ModelError) in try prompt.checked(in: folder, path: path) }
  }

  private struct File: ReferenceFile {
    let format: Int
    let `case`, model: String
    let prompts: [FilePrompt]
  }

  private struct FilePrompt: Decodable {
    let name, logits: String
    let ids, positions, argmax: [Int]
    let top5: [[Int]]
    let top5Logits: [[Double]]
    let maxAbsLogit: Double
    let greedy: [Int]?

    private enum CodingKeys: String, CodingKey {
      case name, ids, positions, logits, argmax, top5, greedy
      case top5Logits = "top5_logits"
      case maxAbsLogit = "max_abs_logit"
    }

    func checked(in folder: String, path: String) throws(ModelError) -> Prompt {
      func expect(_ isRight: Bool, _ field: String, _ found: String, _ expected: String) throws(ModelError) {
        try File.expect(isRight, path, "prompts[\(name)].\(field)", found, expected)
      }
      try expect(!ids.isEmpty, "ids", "none", "at least one")
      try expect(argmax.count == ids.count, "argmax", "\(argmax.count)", "one for each of \(ids.count) ids")
      try expect(top5.count == ids.count, "top5", "\(top5.count)", "one for each of \(ids.count) ids")
      try expect(
        top5Logits.count == ids.count && zip(top5, top5Logits).allSatisfy { $0.count == $1.count },
        "top5_logits", "\(top5Logits.count)", "as many as in top5")
      try expect(
        positions.allSatisfy { ids.indices.contains($0) }, "positions", "\(positions)",
        "positions of the prompt")
      try expect(
        maxAbsLogit.isFinite && maxAbsLogit > 0, "max_abs_logit", "\(maxAbsLogit)", "a positive number")
      let full = try NPY(path: folder + "/" + logits)
      try expect(
        full.rows == positions.count, "logits", "\(full.rows) rows", "\(positions.count), as positions")
      try expect(full.values.allSatisfy(\.isFinite), "logits", "a value that is not finite", "finite logits")
      let named = ids + argmax + top5.flatMap { $0 } + (greedy ?? [])
      try expect(
        named.allSatisfy { (0..<full.columns).contains($0) }, "ids, argmax, top5 or greedy",
        "an id outside the vocabulary", "0 to \(full.columns - 1)")
      return Prompt(
        name: name, ids: ids, positions: positions, logits: full, argmax: argmax, top: top5,
        topLogits: top5Logits, largestLogit: maxAbsLogit, greedy: greedy ?? [])
    }
  }
}

extension ReferenceCase {
  /// A reference made by `naive` itself, for a model that no independent logits are at hand for. Its errors are
  /// float32's own, so a comparison with it doubles what is allowed; see `Tolerance`.
  public init(oracleFor checkpoint: Checkpoint, prompts: [[Int]]) throws(EngineError) {
    let engine = try Engine(checkpoint, variant: .oracle, threads: 1)
    let logits = try prompts.map { ids throws(EngineError) in try engine.logits(of: ids) }
    try self.init(oracleOf: checkpoint.name, prompts: prompts, logits: logits)
  }

  static let oracleName = "naive on this model"

  /// The same from logits that `naive` has computed elsewhere.
  /// - Parameters:
  ///   - model: its name as `--model` takes it.
  ///   - logits: for each prompt (positions, vocabulary), of all its positions.
  /// - Throws: `EngineError.nonFiniteLogit`.
  public init(oracleOf model: String, prompts: [[Int]], logits: [NPY]) throws(EngineError) {
    let made = try zip(prompts, logits).enumerated().map { number, pair throws(EngineError) in
      let (ids, logits) = pair
      precondition(logits.rows == ids.count)
      let winners = try ids.indices.map { row throws(EngineError) in try logits.argmax(ofRow: row) }
      let largest = logits.values.reduce(0) { max($0, abs(Double($1))) }
      return Prompt(
        name: "p\(number)", ids: ids, positions: Array(ids.indices), logits: logits, argmax: winners,
        top: ids.map { _ in [] }, topLogits: ids.map { _ in [] }, largestLogit: 2 * largest, greedy: [])
    }
    self.init(name: Self.oracleName, model: model, prompts: made)
  }
}

/// The contents of a JSON file of known results.
protocol ReferenceFile: Decodable {
  associatedtype Prompt
  var format: Int { get }
  var prompts: [Prompt] { get }
}

extension ReferenceFile {
  /// Reads a file of that format with at least one prompt.
  static func read(_ path: String, format: Int) throws(ModelError) -> Self {
    let data = try ModelFile.read(path)
    let file: Self
    do { file = try JSONDecoder().decode(Self.self, from: data) } catch let error as DecodingError {
      throw ModelError(error, path: path)
    } catch {
      throw .malformed(path: path, problem: "not JSON")
    }
    try expect(file.format == format, path, "format", "\(file.format)", "\(format)")
    try expect(!file.prompts.isEmpty, path, "prompts", "none", "at least one")
    return file
  }

  static func expect(
    _ isRight: Bool, _ path: String, _ field: String, _ found: @autoclosure () -> String,
    _ expected: @autoclosure () -> String
  ) throws(ModelError) {
    guard isRight else { throw .field(path: path, field: field, found: found(), expected: expected()) }
  }
}

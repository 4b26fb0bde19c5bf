import Foundation
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

  public init(folder: String) throws(ModelError) {
    let path = folder + "/reference.json"
    let file = try File.read(path, format: Self.format)
    name = file.case
    model = file.model
    var prompts: [Prompt] = []
    for prompt in file.prompts { prompts.append(try prompt.checked(in: folder, path: path)) }
    self.prompts = prompts
  }

  private struct File: ReferenceFile {
    let format: Int
    let `case`: String
    let model: String
    let prompts: [FilePrompt]
  }

  private struct FilePrompt: Decodable {
    let name: String
    let ids: [Int]
    let positions: [Int]
    let logits: String
    let argmax: [Int]
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
      let place = "prompts[\(name)]"
      func expect(_ condition: Bool, _ field: String, _ found: String, _ expected: String) throws(ModelError)
      {
        guard condition else {
          throw .field(path: path, field: "\(place).\(field)", found: found, expected: expected)
        }
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
        maxAbsLogit.isFinite && maxAbsLogit > 0, "max_abs_logit", "\(maxAbsLogit)",
        "a positive number")
      let full = try NPY(path: folder + "/" + logits)
      try expect(
        full.rows == positions.count, "logits", "\(full.rows) rows", "\(positions.count), as positions")
      try expect(
        full.values.allSatisfy(\.isFinite), "logits", "a value that is not finite", "finite logits")
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

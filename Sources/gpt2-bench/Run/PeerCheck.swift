import Foundation
import GPT2Engine
import GPT2Model
import Record
import Reporting

/// Holds other programs against what the variants are held against: the references of the model, or `naive` where
/// there is none. They hand over logits and greedy tokens; the comparing is done here.
final class PeerCheck {
  /// Prompts up to this length are compared however little is asked for: a program may hand over the last
  /// position alone, so it takes several prompts to know it.
  private static let longestPrompt = 65
  /// Lengths of the prompts that `naive` is asked for.
  private static let oracleLengths = [1, 7, 16]

  private let model: String
  private let configuration: Configuration
  private let scope: CheckScope
  private let allowance: Double
  private let prompts: Prompts
  private let timeoutSeconds: Int
  private var references: [ReferenceCase]

  /// - Parameters:
  ///   - references: of this model; where there is none, `naive` is asked when the first program is checked.
  ///   - scope: how much of them is compared.
  ///   - allowance: how many times float32's tolerance a program's logits may be off by.
  init(
    model: String, configuration: Configuration, references: [ReferenceCase], scope: CheckScope,
    allowance: Double, prompts: Prompts, timeoutSeconds: Int
  ) {
    self.model = model
    self.configuration = configuration
    self.references = references
    self.allowance = allowance
    self.prompts = prompts
    self.timeoutSeconds = timeoutSeconds
    self.scope = CheckScope(
      longestPrompt: max(scope.longestPrompt, Self.longestPrompt), greedySteps: scope.greedySteps)
  }

  /// One row for each reference.
  func rows(of contestant: Worker) throws -> [Correctness] {
    let files = try LogitFiles()
    if references.isEmpty { references = [try oracle(files)] }
    return try references.map { reference in
      var comparison = LogitComparison()
      for prompt in reference.prompts where prompt.ids.count <= scope.longestPrompt {
        try compare(contestant, prompt, files, &comparison)
      }
      comparison.finish()
      return CheckRows.row(comparison.result, reference: reference.name, of: contestant.plan)
    }
  }

  private func compare(
    _ contestant: Worker, _ prompt: ReferenceCase.Prompt, _ files: LogitFiles,
    _ comparison: inout LogitComparison
  ) throws {
    switch try files.logits(of: prompt.ids, from: contestant) {
    case .success(let logits):
      comparison.compare(logits, withTheEndOf: prompt, of: configuration, allowance: allowance)
    case .failure(let problem): comparison.fail("\(prompt.name): \(problem)")
    }
    // A failure that is known shall stand, whatever becomes of the next request.
    guard comparison.failure == nil else { return }
    let room = configuration.context - prompt.ids.count + 1
    let steps = min(prompt.greedy.count, scope.greedySteps, room)
    guard steps > 0 else { return }
    let answer = try contestant.run(
      RunRequest(generation: .init(prompts: [prompt.ids], text: nil, tokens: steps)))
    comparison.compare(greedy: answer.ids[0], with: prompt)
  }

  /// `naive`'s logits, which a worker of this program computes.
  private func oracle(_ files: LogitFiles) throws -> ReferenceCase {
    let worker = try Worker(
      Contestant(kind: .variant(.oracle), threads: 1), timeoutSeconds: timeoutSeconds)
    defer { worker.stop() }
    _ = try worker.load(model: model, cold: false)
    let lengths = Self.oracleLengths.filter { $0 <= configuration.context }
    let ids = try lengths.map { try prompts.make(tokens: $0, batch: 1).prompts[0] }
    let logits = try ids.map { try files.logits(of: $0, from: worker).get() }
    return ReferenceCase(oracleOf: model, prompts: ids, logits: logits)
  }
}

/// The folder that logits are handed over in, gone with this object.
private final class LogitFiles {
  private let folder: String

  init() throws {
    folder =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("gpt2-bench-logits-\(UUID().uuidString)").path
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw RunError("\(folder): cannot be made: \((error as NSError).localizedDescription)")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// - Returns: what the contestant wrote, or what is wrong with it.
  /// - Throws: `WorkerError` where it does not answer, or refuses.
  func logits(
    of ids: [Int], from contestant: Worker
  ) throws -> Result<NPY, LogitProblem> {
    let path = "\(folder)/\(UUID().uuidString).npy"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let answer = try contestant.logits(LogitsRequest(ids: ids, out: path))
    do {
      let logits = try NPY(path: path)
      guard logits.rows == answer.positions else {
        return .failure(
          LogitProblem("found logits of \(logits.rows) positions, expected \(answer.positions), as answered"))
      }
      return .success(logits)
    } catch {
      return .failure(LogitProblem("\(error)"))
    }
  }
}

/// Why there are no logits to compare, in a line.
private struct LogitProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

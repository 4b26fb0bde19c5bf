import Chat
import Foundation
import GPT2Engine
import GPT2Kernels
import GPT2Model
import Record

/// Another program that takes part in a run: it speaks the lines of `Benchmarks/peers/README.md`.
struct Peer: Equatable {
  let name: String
  let command: String
  /// A path, or a name that is looked up in `PATH`.
  let executable: String
  let arguments: [String]

  static let option = "--contestant"

  /// - Parameter text: `NAME=COMMAND`, the command's words divided as a shell does it.
  /// - Throws: `UsageError` for anything that could not be started.
  init(_ text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      throw UsageError(
        Self.option, found: text, expected: "NAME=COMMAND, for example llama='python3 llama.py'")
    }
    (name, command) = (parts[0], parts[1])
    guard !name.isEmpty, name.allSatisfy({ $0.isOfName || $0 == "+" }) else {
      throw UsageError(
        Self.option, found: text, expected: "a name of letters, digits, '.', '_', '+' or '-' before the '='")
    }
    guard !Variant.isName(name) else {
      throw UsageError(Self.option, found: text, expected: "a name that no variant has")
    }
    let words = try QuotedWords.split(command, .shell, name: Self.option)
    guard let program = words.first, !program.isEmpty else {
      throw UsageError(Self.option, found: text, expected: "a command after the '='")
    }
    guard Self.isExecutable(program) else {
      throw UsageError(
        "\(Self.option): \(name): found no program '\(program)', expected one in PATH, or a path from this folder"
      )
    }
    executable = program
    arguments = Array(words.dropFirst())
  }

  /// - Throws: `UsageError` also where two have one name.
  static func all(_ texts: [String]) throws -> [Peer] {
    var peers: [Peer] = []
    for text in texts {
      let peer = try Peer(text)
      guard !peers.contains(where: { $0.name == peer.name }) else {
        throw UsageError(option, found: text, expected: "a name that no other contestant has")
      }
      peers.append(peer)
    }
    return peers
  }

  /// As `posix_spawnp` finds it: a word with a slash is a path, any other is looked up.
  private static func isExecutable(_ program: String) -> Bool {
    program.contains("/") ? Output.isProgram(program) : Output.program(inPath: program) != nil
  }
}

extension Option {
  static let contestant = Option(
    Peer.option, value: "NAME=COMMAND", isRepeatable: true, in: .subject, default: "none",
    help:
      "measure another program in the same rounds; may be given several times (--variants none: only these)")
  static let contestantTolerance = Option(
    "--contestant-tolerance", value: "F", in: .judgement, default: "1",
    help: "allow logits of other programs F times the error of float32; the report says so")
}

/// Holds other programs against what the variants are held against: the references of the model, or `naive` where
/// there is none. They hand over logits and greedy tokens; the comparing is done here.
struct PeerCheck {
  /// Prompts up to this length are compared however little is asked for: a program may hand over the last
  /// position alone, so it takes several prompts to know it.
  private static let longestPrompt = 65
  /// Lengths of the prompts that `naive` is asked for.
  private static let oracleLengths = [1, 7, 16]

  let setup: EndToEnd
  /// Of the model; where there is none, `naive` is asked when the first program is checked.
  var references: [ReferenceCase]
  let scope: CheckScope

  mutating func rows(of worker: Worker) throws -> [Correctness] {
    if references.isEmpty { references = [try oracle()] }
    let longest = max(scope.longestPrompt, Self.longestPrompt)
    return try references.map { reference in
      let limits = worker.loaded?.weights.flatMap(QualityLimits.init(named:))
      var comparison = LogitComparison(limits: limits, judgesTop1: !reference.hasRandomWeights)
      for prompt in reference.prompts where prompt.ids.count <= longest {
        try compare(worker, prompt, &comparison)
      }
      comparison.finish()
      return Correctness(comparison.result, reference: reference.name, of: worker.contestant)
    }
  }

  private func compare(
    _ worker: Worker, _ prompt: ReferenceCase.Prompt, _ comparison: inout LogitComparison
  ) throws {
    switch try worker.writtenLogits(of: prompt.ids) {
    case .success(let logits):
      comparison.compare(
        logits, withTheEndOf: prompt, of: setup.configuration, allowance: setup.options.contestantTolerance)
    case .failure(let problem): comparison.fail("\(prompt.name): \(problem)")
    }
    // A failure that is known shall stand, whatever becomes of the next request.
    guard comparison.failure == nil else { return }
    let room = setup.configuration.context - prompt.ids.count + 1
    let steps = min(prompt.greedy.count, scope.greedySteps, room)
    guard steps > 0 else { return }
    let answer = try worker.run(RunRequest(prompts: [prompt.ids], tokens: steps))
    comparison.compare(greedy: answer.ids[0], with: prompt)
  }

  /// `naive`'s logits, which a worker of this program computes.
  private func oracle() throws -> ReferenceCase {
    let worker = try Worker(
      Contestant(kind: .variant(.oracle), threads: 1), timeoutSeconds: setup.options.timeoutSeconds)
    defer { worker.stop() }
    try worker.load(model: setup.choice.name)
    let lengths = Self.oracleLengths.filter { $0 <= setup.configuration.context }
    let ids = try lengths.map { try setup.prompts.make(tokens: $0, batch: 1).prompts[0] }
    let logits = try ids.map { try worker.writtenLogits(of: $0).get() }
    return try ReferenceCase(oracleOf: setup.choice.name, prompts: ids, logits: logits)
  }
}

extension Worker {
  /// - Returns: what the contestant wrote, or what is wrong with it, in a line.
  /// - Throws: `WorkerError` where it does not answer, or refuses.
  fileprivate func writtenLogits(of ids: [Int]) throws -> Result<NPY, RunError> {
    let name = "gpt2-bench-logits-\(UUID().uuidString).npy"
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let answer = try logits(LogitsRequest(ids: ids, out: path))
    do {
      let logits = try NPY(path: path)
      guard logits.rows == answer.positions else {
        return .failure(
          RunError("found logits of \(logits.rows) positions, expected \(answer.positions), as answered"))
      }
      return .success(logits)
    } catch { return .failure(RunError("\(error)")) }
  }
}

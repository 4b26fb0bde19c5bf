import Foundation
import GPT2Kernels
import Record

/// What the measuring commands have in common on the command line.
struct MeasuringOptions {
  static let timeout = Option(
    "--timeout", value: "S", in: .effort, default: "\(defaultTimeout)",
    help: "seconds that a worker may take for one answer")
  static let budget = Option(
    "--budget", value: "S", in: .effort,
    help: "seconds that a variant may spend on one cell before it stops early")

  static let warmup = Option(
    "--warmup", value: "N", in: .effort, default: "as the report says",
    help: "times that a cell's whole test runs before its first sample")

  /// What a cell may be given, in seconds; a day, so that no sum of budgets overflows.
  static let budgets = 0.001...86_400
  static let budgetRange = "from 0.001 to 86400"

  private static let defaultTimeout = 600

  let variants: [Variant]
  let peers: [Peer]
  /// How many times float32's tolerance the logits of other programs may be off by.
  let contestantTolerance: Double
  let threads: [Int]
  let repetitions: Int?
  let budgetSeconds: Double?
  /// Runs of the whole test that warm up a cell; nil for what is usual for its kind.
  let warmups: Int?
  let seed: UInt64
  let timeoutSeconds: Int

  init(_ arguments: Arguments) throws {
    peers = try Peer.all(arguments.strings(Peer.option))
    contestantTolerance = try Self.contestantTolerance(arguments, peers)
    variants = try arguments.string("--variants") == "none" && !peers.isEmpty ? [] : arguments.variants()
    threads = try arguments.integers("-t", in: Threads.range) ?? [Threads.available]
    repetitions = try arguments.integer("-r", in: 1...100_000)
    budgetSeconds = try Self.budgetSeconds(arguments)
    warmups = try arguments.integer("--warmup", in: 1...1000)
    seed = try arguments.unsigned("--seed") ?? 1
    timeoutSeconds = try arguments.integer("--timeout", in: 1...86_400) ?? Self.defaultTimeout
  }

  /// What `--budget` says, in seconds; nil where it is not given.
  static func budgetSeconds(_ arguments: Arguments) throws -> Double? {
    guard let seconds = try arguments.number("--budget") else { return nil }
    guard budgets.contains(seconds) else {
      throw arguments.refusal(of: "--budget", expected: "seconds, \(budgetRange)")
    }
    return seconds
  }

  private static func contestantTolerance(_ arguments: Arguments, _ peers: [Peer]) throws -> Double {
    let option = Option.contestantTolerance.names[0]
    guard let factor = try arguments.number(option) else { return 1 }
    guard !peers.isEmpty else { throw arguments.refusal(of: option, expected: "\(Peer.option) with it") }
    guard (1...1e6).contains(factor) else {
      throw arguments.refusal(of: option, expected: "a factor from 1 to 1000000")
    }
    return factor
  }

  /// What a report says of the warm-up.
  /// - Parameter usual: the same, where nothing is said on the command line.
  func warmupWords(usual: String) -> String {
    warmups.map { $0 == 1 ? "the whole test once" : "the whole test \($0) times" } ?? usual
  }

  var contestants: [Contestant] { Contestant.all(variants, peers: peers, threads: threads) }
}

extension Record {
  /// What a run ends with: a failed check outweighs a worker that was lost, that an impossible figure.
  var runExitCode: ExitCode {
    if !isComplete { return Interruption.shared.exitCode }
    let statuses = Set(cells.map(\.status))
    if statuses.contains(.failedCheck) || correctness.contains(where: { !$0.passed }) { return .failedCheck }
    if !statuses.isDisjoint(with: [.died, .hung, .skipped]) || missing?.isEmpty == false { return .error }
    return statuses.contains(.rejected) ? .inconclusive : .done
  }
}

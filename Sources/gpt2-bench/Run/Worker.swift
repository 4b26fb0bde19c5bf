import Foundation
import GPT2Engine
import GPT2Kernels
import Measurement
import Record

/// A contestant's worker process, and what may be asked of it. What it answers is held against what was asked before
/// anybody computes with it.
final class Worker {
  let contestant: Contestant
  /// As it said when it loaded; before, what is expected of it.
  private(set) var decoding: Variant.Decoding
  private(set) var loaded: LoadAnswer?
  private let process: WorkerProcess
  private let timeout: Duration
  private let waiting: () -> Void
  /// The model's; nil where no answer names ids of it.
  private let vocabulary: Int?

  /// - Parameters:
  ///   - build: the `gpt2-bench` that runs a variant; this one unless another is named.
  ///   - name: what errors call it; the contestant's name unless another is given.
  ///   - waiting: called a few times a second while it works on an answer.
  init(
    _ contestant: Contestant, build: String = Project.executable, name: String? = nil,
    vocabulary: Int? = nil, timeoutSeconds: Int, waiting: @escaping () -> Void = {}
  ) throws {
    (self.contestant, self.vocabulary, self.waiting) = (contestant, vocabulary, waiting)
    decoding = contestant.decoding
    timeout = .seconds(timeoutSeconds)
    process = try WorkerProcess(
      name: name ?? contestant.name, executable: contestant.peer?.executable ?? build,
      arguments: contestant.peer?.arguments ?? ["worker", contestant.name], environment: Self.environment)
  }

  /// A worker that crashes shall be gone at once, not after minutes of looking at its own stack.
  static let environment = ProcessInfo.processInfo.environment
    .merging(["SWIFT_BACKTRACE": "enable=no"]) { own, _ in own }

  func load(model: String?, cold: Bool = false) throws {
    let request = LoadRequest(
      model: model, variant: contestant.label, threads: contestant.threads, cold: cold)
    let answer: LoadAnswer = try ask("load", request)
    decoding = try answer.checked(against: contestant)
    loaded = answer
  }

  /// Holds it against what the request names: a row for each.
  func check(_ request: CheckRequest) throws -> [Correctness] {
    let answer: CheckAnswer = try ask("check", request)
    return answer.rows(for: request, of: contestant)
  }

  func logits(_ request: LogitsRequest) throws -> LogitsAnswer { try ask("logits", request) }

  func run(_ request: RunRequest) throws -> RunAnswer {
    let answer: RunAnswer = try ask("run", request)
    try answer.check(against: request, vocabulary: vocabulary, of: contestant.name)
    return answer
  }

  func profile(_ request: ProfileRequest) throws -> ProfileAnswer { try ask("profile", request) }

  /// Nil where it cannot tell, or is gone.
  ///
  /// - Throws: for an answer that is none, or that cannot be true.
  func peakMemory() throws -> Int? {
    guard process.failure == nil else { return nil }
    let answer: MemoryAnswer
    do { answer = try ask("memory", Empty()) } catch {
      if case .malformedAnswer? = (error as? WorkerError)?.kind { throw error }
      return nil
    }
    try answer.check(of: contestant.name)
    return answer.peakBytes
  }

  func stop() { process.stop() }

  private func ask<Payload: Encodable, Answer: Decodable>(
    _ operation: String, _ payload: Payload
  ) throws -> Answer {
    try process.request(
      operation, payload, timeout: timeout,
      isCancelled: {
        waiting()
        return Interruption.shared.isCancelled
      })
  }
}

/// An answer that has the right form and cannot be true, in a line that names the contestant and the field.
struct InvalidAnswer: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ contestant: String, _ operation: String, _ field: String, found: String, expected: String) {
    description = "\(contestant): \(operation): \(field): found \(found), expected \(expected)"
  }

  static func unless(
    _ contestant: String, _ operation: String
  ) -> (_ holds: Bool, _ field: String, _ found: String, _ expected: String) throws -> Void {
    { holds, field, found, expected in
      guard !holds else { return }
      throw InvalidAnswer(contestant, operation, field, found: found, expected: expected)
    }
  }
}

/// Thirty years: no time is longer, and no sum of such times overflows.
private let longestNanoseconds = 1_000_000_000_000_000_000

extension LoadAnswer {
  /// Of another program, whose weights are what it says, or float32; nil bytes where it is not known what its weights take.
  func work(of cell: CellPlan, _ decoding: Variant.Decoding) -> (flops: Double, bytes: Double?) {
    let precision = WeightPrecision(named: weights ?? WeightPrecision.f32.rawValue)
    let work = cell.work(decoding, precision ?? .f32, .f32)
    return (work.flops, precision == nil ? nil : work.bytes)
  }

  /// - Returns: how the contestant decodes.
  /// - Throws: `InvalidAnswer`.
  func checked(against contestant: Contestant) throws -> Variant.Decoding {
    let require = InvalidAnswer.unless(contestant.name, "load")
    // A row is of so many threads; one that used others would stand in the wrong place.
    try require(threads == contestant.threads, "threads", "\(threads)", "\(contestant.threads), as asked")
    if let time = loadNanoseconds {
      try require(
        (1...longestNanoseconds).contains(time), "loadNanoseconds", "\(time)", "a time above 0, or null")
    }
    if let bytes = baselineBytes {
      try require(isPossible(bytes: bytes), "baselineBytes", "\(bytes)", possibleBytes)
    }
    guard let decoding else { return contestant.decoding }
    guard let known = Variant.Decoding(rawValue: decoding) else {
      throw InvalidAnswer(
        contestant.name, "load", "decoding", found: "'\(decoding)'", expected: "cache or recompute")
    }
    return known
  }
}

extension RunAnswer {
  /// - Parameter vocabulary: what ids are below; nil where that is not known.
  /// - Throws: `InvalidAnswer` where a time or an id cannot be one, or there are not as many as were asked for.
  func check(against request: RunRequest, vocabulary: Int?, of contestant: String) throws {
    let require = InvalidAnswer.unless(contestant, "run")
    try require(
      elapsedNanoseconds > 0 && elapsedNanoseconds <= Double(longestNanoseconds), "elapsedNanoseconds",
      "\(elapsedNanoseconds)", "a time above 0")
    try require(iterations > 0, "iterations", "\(iterations)", "at least 1")
    if let prefill = prefillNanoseconds {
      try require(
        prefill > 0 && Double(prefill) <= elapsedNanoseconds, "prefillNanoseconds", "\(prefill)",
        "a time above 0, within the run's \(elapsedNanoseconds)")
    }
    for (name, count) in (counters ?? [:]).sorted(by: { $0.key < $1.key }) {
      try require(count >= 0, "counters.\(name)", "\(count)", "a count, or none")
    }
    if let share = countersShare {
      try require(share > 0 && share <= 1, "countersShare", "\(share)", "a share above 0, at most 1, or null")
    }
    for rate in memoryGBPerSecond ?? [] {
      try require(rate > 0 && rate.isFinite, "memoryGBPerSecond", "\(rate)", "rates above 0, or null")
    }
    if request.training != nil {
      let text = loss.map { "\($0)" } ?? "none"
      try require(loss.map { $0.isFinite && $0 >= 0 } ?? false, "loss", text, "a number of at least 0")
    }
    guard let generation = request.generation else { return }
    try require(
      tokenNanoseconds.count == generation.tokens, "tokenNanoseconds", "\(tokenNanoseconds.count) times",
      "one for each of \(generation.tokens) tokens")
    let isAscending = zip(tokenNanoseconds, tokenNanoseconds.dropFirst()).allSatisfy(<=)
    try require(
      isAscending && tokenNanoseconds.first.map { $0 > 0 } ?? true
        && tokenNanoseconds.last.map { Double($0) <= elapsedNanoseconds } ?? true,
      "tokenNanoseconds", "\(tokenNanoseconds.prefix(8))",
      "ascending times above 0, within the run's \(elapsedNanoseconds)")
    try require(
      ids.map(\.count) == generation.prompts.map { _ in generation.tokens }, "ids",
      "\(ids.prefix(8).map(\.count)) ids",
      "\(generation.tokens) for each of \(generation.prompts.count) prompts")
    let known = 0..<(vocabulary ?? .max)
    if let wrong = ids.lazy.flatMap({ $0 }).first(where: { !known.contains($0) }) {
      try require(
        false, "ids", "\(wrong)", vocabulary.map { "ids from 0 to \($0 - 1)" } ?? "ids of at least 0")
    }
  }
}

extension MemoryAnswer {
  /// - Throws: `InvalidAnswer`.
  func check(of contestant: String) throws {
    guard let bytes = peakBytes else { return }
    try InvalidAnswer.unless(contestant, "memory")(
      isPossible(bytes: bytes), "peakBytes", "\(bytes)", possibleBytes)
  }
}

/// Whether a process of this machine may have so much resident memory.
private func isPossible(bytes: Int) -> Bool { bytes > 0 && bytes <= Machine.memoryBytes ?? .max }

private let possibleBytes = "a size above 0 within the machine's memory, or null"

extension CheckAnswer {
  /// As a record keeps what was found.
  func rows(for request: CheckRequest, of contestant: Contestant) -> [Correctness] {
    func row(_ found: CheckResult, _ reference: String) -> Correctness {
      Correctness(found, reference: reference, of: contestant)
    }
    var rows = references.map { row($0.comparison.result, $0.name) }
    if let batch { rows.append(row(batch.result, "batch of \(batch.sequences), as each sequence alone")) }
    if let perplexity, let text = request.perplexity?.file {
      rows.append(row(perplexity.result, "text \(text.split(separator: "/").last ?? "")"))
    }
    rows += (continuations ?? []).map { row($0.check.result, $0.name) }
    rows += (gradients ?? []).map { Correctness($0, of: contestant) }
    if let check = matmul ?? operation, let shape = request.operation {
      rows.append(row(check.result(ragged: matmulFailure ?? operationFailure), shape.name))
    }
    return rows
  }
}

extension Correctness {
  init(_ found: CheckAnswer.Gradients, of contestant: Contestant) {
    self.init(
      variant: contestant.label, threads: contestant.threads, reference: Self.gradients(of: found.name),
      passed: found.failure == nil, maxAbsoluteError: found.error, tolerance: found.tolerance, nmse: nil,
      argmaxAgreed: 0, argmaxCompared: 0, failure: found.failure, subject: .gradients)
  }

  init(_ found: CheckResult, reference: String, of contestant: Contestant) {
    self.init(
      variant: contestant.label, threads: contestant.threads, reference: reference, passed: found.passed,
      maxAbsoluteError: found.maxAbsoluteError, tolerance: found.tolerance, nmse: found.nmse,
      argmaxAgreed: found.agreed, argmaxCompared: found.compared, failure: found.failure,
      kl: found.kl, top1: found.top1, deltaPerplexity: found.deltaPerplexity)
  }
}

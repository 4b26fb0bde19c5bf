import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Training

/// The ranges that the numbers of a request must keep, so that nothing a worker is asked for can end it.
///
/// Every `check` throws one line for the first field out of its range: a `RecordError`, as whoever reads a record does,
/// a `TrainingError` for what a step is made with, or a `RunError` where it is the machine that is too small.
struct RequestRules {
  /// The loaded model's; nil without one. Whoever needs a model says that there is none.
  let configuration: Configuration?
  let decoding: Variant.Decoding

  func check(_ request: LoadRequest) throws { try inRange(request.threads, Threads.range, "threads") }

  func check(_ request: CheckRequest) throws {
    try inRange(request.scope.longestPrompt, 0...Int.max, "scope.longestPrompt")
    try inRange(request.scope.greedySteps, 0...Int.max, "scope.greedySteps")
    for (index, ids) in request.oraclePrompts.enumerated() { try check(ids, "oraclePrompts[\(index)]") }
    if let batch = request.batch {
      try inRange(batch, 1...Int(Int32.max), "batch")
      try refuseTooLarge(.decode(tokens: 2, depth: 3, batch: batch))
    }
    try request.operation.map { try $0.check(source: Self.source) }
    try request.operation.map(refuseTooLarge)
  }

  func check(_ request: LogitsRequest) throws { try check(request.ids, "ids") }

  /// What an operation needs of memory is asked once, before it is made: a system is quiet where others are timed.
  func check(_ request: RunRequest) throws {
    try request.operation.map { try $0.check(source: Self.source) }
    try request.training.map(check)
    guard let generation = request.generation else { return }
    let field = "generation.prompts"
    try require(!generation.prompts.isEmpty, field, "none", "at least one prompt")
    for (index, ids) in generation.prompts.enumerated() { try check(ids, "\(field)[\(index)]") }
    let longest = generation.prompts.reduce(0) { max($0, $1.count) }
    try check(newTokens: generation.tokens, after: longest, "generation.tokens")
    try refuseTooLarge(.decode(tokens: generation.tokens, depth: longest, batch: generation.prompts.count))
  }

  func check(_ request: ProfileRequest) throws {
    try check(request.promptTokens, "promptTokens")
    try check(newTokens: request.newTokens, after: request.promptTokens.count, "newTokens")
  }

  private func check(_ request: RunRequest.Training) throws {
    guard let configuration else { return }
    let field = "training.windows"
    try require(!request.windows.isEmpty, field, "none", "at least one window")
    let expected = request.windows[0].count
    for (index, ids) in request.windows.enumerated() {
      try require(
        ids.count == expected && ids.count > 1, "\(field)[\(index)]", "\(ids.count) ids",
        "at least 2, as many as in the first")
      for (place, id) in ids.enumerated() {
        try inRange(id, 0...configuration.vocabulary - 1, "\(field)[\(index)][\(place)]")
      }
    }
    try request.options.check(modelContext: configuration.context)
    try refuseTooLarge(.training(batch: request.windows.count, context: request.context))
  }

  /// Beyond what the machine allows all workers together, or what is free of it now.
  /// - Parameter operation: whose sizes are in their ranges.
  func refuseTooLarge(_ operation: OperationShape) throws {
    let streamed = StreamedMemory.bytes
    let bytes = operation.bytes(streamedBytes: streamed) + Double(streamed)
    try MemoryLimit.check(bytes, for: "\(operation.name) needs")
    try MemoryLimit.checkFree(bytes, for: "\(operation.name) needs")
  }

  /// A prompt that the model can take in.
  private func check(_ ids: [Int], _ field: String) throws {
    guard let configuration else { return }
    try require(
      (1...configuration.context).contains(ids.count), field, "\(ids.count) ids",
      "1 to \(configuration.context), the model's context")
    for (index, id) in ids.enumerated() {
      try inRange(id, 0...configuration.vocabulary - 1, "\(field)[\(index)]")
    }
  }

  /// The last token is not taken in.
  private func check(newTokens: Int, after prompt: Int, _ field: String) throws {
    guard let configuration else { return }
    try inRange(newTokens, 1...configuration.context - prompt + 1, field)
  }

  private func refuseTooLarge(_ test: Test) throws {
    guard let configuration else { return }
    try MemoryLimit.check(
      test.bytes(of: configuration, isCached: decoding == .cache),
      for: test.training == nil ? "\(test.batch) sequences together need" : "\(test.name) needs")
  }

  private static let source = "request"

  private func inRange(_ value: Int, _ range: ClosedRange<Int>, _ field: String) throws {
    try RecordError.unless(value, in: range, of: Self.source, field)
  }

  private func require(_ holds: Bool, _ field: String, _ found: String, _ expected: String) throws {
    try RecordError.unless(holds, of: Self.source, field, found, expected)
  }
}

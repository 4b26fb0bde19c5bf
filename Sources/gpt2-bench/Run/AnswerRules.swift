import GPT2Kernels

/// An answer that has the right form and cannot be true, in a line that names the contestant and the field.
struct InvalidAnswer: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ contestant: String, _ operation: String, _ field: String, found: String, expected: String) {
    description = "\(contestant): \(operation): \(field): found \(found), expected \(expected)"
  }
}

/// Thirty years: no time is longer, and no sum of such times overflows.
private let longestNanoseconds = 1_000_000_000_000_000_000

extension LoadAnswer {
  /// - Returns: how the contestant decodes.
  /// - Throws: `InvalidAnswer`.
  func checked(against plan: Contestant) throws -> Variant.Decoding {
    func require(_ condition: Bool, _ field: String, _ found: String, _ expected: String) throws {
      guard !condition else { return }
      throw InvalidAnswer(plan.name, "load", field, found: found, expected: expected)
    }
    // A row is of so many threads; one that used others would stand in the wrong place.
    try require(threads == plan.threads, "threads", "\(threads)", "\(plan.threads), as asked")
    if let time = loadNanoseconds {
      try require(
        (1...longestNanoseconds).contains(time), "loadNanoseconds", "\(time)", "a time above 0, or null")
    }
    if let bytes = baselineBytes {
      try require(bytes > 0, "baselineBytes", "\(bytes)", "a size above 0, or null")
    }
    guard let decoding else { return plan.decoding }
    guard let known = Variant.Decoding(rawValue: decoding) else {
      throw InvalidAnswer(
        plan.name, "load", "decoding", found: "'\(decoding)'", expected: "cache or recompute")
    }
    return known
  }
}

extension RunAnswer {
  /// - Throws: `InvalidAnswer` where a time cannot be one, or there are not as many times and ids as were asked for.
  func check(against request: RunRequest, of contestant: String) throws {
    func require(_ condition: Bool, _ field: String, _ found: String, _ expected: String) throws {
      guard !condition else { return }
      throw InvalidAnswer(contestant, "run", field, found: found, expected: expected)
    }
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
  }
}

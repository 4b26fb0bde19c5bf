extension RecordRules {
  /// - Throws: `ReportingError.invalid` for the first field out of its range.
  func check(_ profile: Profile, field: String) throws {
    try size(profile.threads, "\(field).threads")
    try inRange(profile.tokens, 0...Self.sizes.upperBound, "\(field).tokens")
    for (index, time) in profile.passNanoseconds.enumerated() {
      try positive(time, "\(field).passNanoseconds[\(index)]")
    }
    try inRange(
      profile.keptPasses, 1...max(profile.passNanoseconds.count, 1), "\(field).keptPasses")
    try positive(profile.wallNanoseconds, "\(field).wallNanoseconds")
    try atMost(Self.longest, profile.wallNanoseconds, "\(field).wallNanoseconds")
    for (index, entry) in profile.entries.enumerated() {
      try check(entry, field: "\(field).entries[\(index)]")
    }
    if let overhead = profile.overhead {
      for (name, times) in [
        ("withNanoseconds", overhead.withNanoseconds), ("withoutNanoseconds", overhead.withoutNanoseconds),
      ] {
        for (index, time) in times.enumerated() {
          try positive(time, "\(field).overhead.\(name)[\(index)]")
        }
      }
    }
    for (index, time) in profile.threadTimes.enumerated() {
      try notNegative(time.busyNanoseconds, "\(field).threadTimes[\(index)].busyNanoseconds")
      try notNegative(time.waitNanoseconds, "\(field).threadTimes[\(index)].waitNanoseconds")
    }
  }

  private func check(_ entry: Profile.Entry, field: String) throws {
    try entry.layer.map { try inRange($0, 0...Self.sizes.upperBound, "\(field).layer") }
    try inRange(entry.calls, 0...Self.sizes.upperBound, "\(field).calls")
    let numbers = [
      ("nanoseconds", entry.nanoseconds), ("waitNanoseconds", entry.waitNanoseconds), ("flops", entry.flops),
      ("streamedBytes", entry.streamedBytes), ("activationBytes", entry.activationBytes),
    ]
    for (name, number) in numbers { try notNegative(number, "\(field).\(name)") }
    try atMost(Self.longest, entry.nanoseconds, "\(field).nanoseconds")
    try atMost(Self.longest, entry.waitNanoseconds, "\(field).waitNanoseconds")
  }

  /// A century, in nanoseconds: no pass takes longer, and no table has room for it.
  private static let longest = 3e18

  private func atMost(_ limit: Double, _ value: Double, _ field: String) throws {
    guard value > limit else { return }
    throw ReportingError.invalid(
      path: path, field: field, found: "\(value)", expected: "a number of at most \(limit)")
  }
}

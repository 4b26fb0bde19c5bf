@testable import Record
@testable import Reporting

extension Fixture {
  /// `small()` on two contestants with where their time went: 1 ms a token at decode for `kv-cache`, 10 for `naive`.
  static func withPhases() -> Record {
    var record = small()
    record.profiles = [
      profile("naive", .decode, tokens: 64, milliseconds: 10),
      profile("kv-cache", .decode, tokens: 64, milliseconds: 1),
      profile("naive", .prefill, tokens: 64, milliseconds: 640),
      profile("kv-cache", .prefill, tokens: 64, milliseconds: 64),
    ]
    return record
  }

  /// Two passes kept of three: 60 % in MLP up of two layers, 20 % in the logits, 15 % waiting, 5 % unexplained.
  static func profile(_ variant: String, _ stage: Profile.Stage, tokens: Int, milliseconds: Double) -> Profile
  {
    let pass = milliseconds * 1e6
    func entry(_ phase: ProfilePhase, layer: Int?, share: Double, wait: Double = 0) -> Profile.Entry {
      Profile.Entry(
        phase: phase, layer: layer, calls: 2, nanoseconds: 2 * pass * share, waitNanoseconds: 2 * pass * wait,
        flops: 2e6, streamedBytes: 4e5, activationBytes: 1e5)
    }
    return Profile(
      variant: variant, weights: "f32", threads: 1, stage: stage, tokens: tokens,
      passNanoseconds: [pass, pass, 3 * pass], keptPasses: 2, wallNanoseconds: 2 * pass,
      entries: [
        entry(.up, layer: 0, share: 0.3, wait: 0.15), entry(.up, layer: 1, share: 0.3),
        entry(.logits, layer: nil, share: 0.2),
      ],
      overhead: Profile.Overhead(
        withNanoseconds: [1.01, 1.01, 1.01].map { $0 * pass }, withoutNanoseconds: [pass, pass, pass]),
      threadTimes: [Profile.ThreadTime(busyNanoseconds: pass, waitNanoseconds: 0)])
  }

  /// Sixteen contestants on two decode tests and a prompt's: 1,440 samples, 46,560 token times.
  static func large(tokens: Int = 48) -> Record {
    let variants = (0..<16).map { "variant-\($0)" }
    var record = record(
      cells: variants.flatMap { name in
        [64, 512].map { depth -> Cell in
          var cell = decodeCell(name, stepMilliseconds: [])
          cell.test = .decode(tokens: tokens, depth: depth, batch: 1)
          cell.samples = (0..<30).map { round in
            Sample(
              round: round, sequence: round, elapsedNanoseconds: Double(tokens) * 2.3e7, iterations: 1,
              prefillNanoseconds: 11_234_567, tokenNanoseconds: (1...tokens).map { $0 * 23_456_789 + round })
          }
          return cell
        } + [prefillCell(name, milliseconds: (0..<30).map { 40 + Double($0) / 7 })]
      })
    record.profiles = variants.flatMap { name in
      [
        profile(name, .decode, tokens: 64, milliseconds: 10),
        profile(name, .prefill, tokens: 64, milliseconds: 640),
      ]
    }
    record.correctness = variants.flatMap { name in
      ["a", "b", "c"].map { passedCheck(name, reference: $0) }
    }
    return record
  }
}

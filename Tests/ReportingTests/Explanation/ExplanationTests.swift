import TestSupport
import Testing

@testable import Record
@testable import Reporting

struct ExplanationTests {
  private let cached = Fixture.profile("kv-cache")
  private let recomputed = Fixture.profile("threaded", .decode, Fixture.recomputedToken)
  private let ceiling = Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10)

  private func explain(
    _ from: Profile, _ to: Profile, ceiling: Ceiling? = nil, noiseFloor: Double? = nil
  ) throws -> Explanation {
    try Explanation(
      from: from, named: from.variant, to: to, named: to.variant, ceiling: ceiling, noiseFloor: noiseFloor)
  }

  /// `cached` with other times.
  private func changed(_ variant: String, _ change: (inout PhaseTime) -> Void) -> Profile {
    Fixture.profile(
      variant, .decode,
      Fixture.cachedToken.map { time in
        var time = time
        change(&time)
        return time
      })
  }

  @Test(arguments: [true, false])
  func partsSumToTheDifference(hasCeiling: Bool) throws {
    for (from, to) in [(cached, recomputed), (recomputed, cached)] {
      let explanation = try explain(from, to, ceiling: hasCeiling ? ceiling : nil)
      let sum = explanation.parts.reduce(0) { $0 + $1.change }
      #expect(abs(sum - explanation.change) <= 1e-12 * abs(explanation.change))
      let shares = explanation.parts.compactMap { explanation.share($0.change) }.reduce(0, +)
      #expect(abs(shares - 1) < 1e-12)
      for part in explanation.parts {
        guard let split = part.split else { continue }
        #expect(abs(split.work + split.rate - part.change) < 1e-6)
      }
      let reasons = explanation.reasons.reduce(0) { $0 + $1.share }
      #expect(abs(reasons - 1) < 1e-12)
    }
  }

  @Test func waitAndUnexplainedArePartsOfTheirOwn() throws {
    let waiting = changed("waiting") { $0.wait *= 11 }
    let explanation = try explain(cached, waiting)
    expectEqual(explanation.outcome, .slower)
    let wait = try #require(explanation.parts.first { $0.source == .poolWait })
    #expect(abs(wait.change - 4e5) < 1e-6)
    expectNil(wait.split)
    #expect(explanation.headline.hasSuffix(": 100 % from waiting for the pool's threads."))
    let lost = Fixture.profile("lost", unexplained: 210)
    let more = try explain(cached, lost)
    #expect(more.headline.hasSuffix(": 100 % from more time outside the counted work."))
  }

  /// The rows of a token are told by the MLP, whose work does not depend on the position.
  @Test func aCacheSavesWorkAndRecomputingAddsIt() throws {
    let faster = try explain(recomputed, cached, ceiling: ceiling)
    expectEqual(faster.outcome, .faster)
    expectEqual(faster.rowRatio, 64)
    expectContains(faster.headline, "from not recomputing ", " for old positions")
    let slower = try explain(cached, recomputed, ceiling: ceiling)
    expectEqual(slower.outcome, .slower)
    expectContains(slower.headline, "from recomputing ")
    #expect(slower.reasons.map(\.share) != [])
  }

  @Test func theSameWorkDoneFasterIsCalledSo() throws {
    let faster = changed("packed") { $0.microseconds /= 2 }
    let explanation = try explain(cached, faster, ceiling: ceiling)
    expectEqual(explanation.reasons.first?.kind, .rate)
    expectContains(explanation.headline, "% from faster work in the linear layers")
    #expect(!explanation.headline.contains("less work"))
    expectEqual(explanation.largestSentence?.contains("for the same work, at "), true)
  }

  /// Half the bytes in half the time.
  @Test func narrowerWeightsAreNamed() throws {
    var times = Fixture.cachedToken
    for index in times.indices where times[index].streamed > 1e5 {
      times[index].streamed /= 2
      times[index].microseconds /= 2
    }
    var narrow = Fixture.profile("bf16", .decode, times)
    narrow.weights = "bf16"
    let slow = Ceiling(threads: 2, fmaGFLOPS: 100, dramGBPerSecond: 10)
    let explanation = try explain(cached, narrow, ceiling: slow)
    expectEqual(explanation.outcome, .faster)
    expectContains(explanation.headline, "from narrower weights in the linear layers")
    try expectContains(explain(narrow, cached, ceiling: slow).headline, "from wider weights in ")
  }

  @Test func whatGoesTheOtherWayIsSaid() throws {
    let mixed = changed("mixed") { time in
      if time.phase == .logits { time.microseconds = 50 }
      if time.phase == .qkv { time.microseconds = 75 }
    }
    let explanation = try explain(cached, mixed)
    expectEqual(explanation.outcome, .faster)
    let qkv = try #require(explanation.parts.first { $0.name == "QKV" })
    #expect(qkv.change > 0)
    #expect(try #require(explanation.share(qkv.change)) < 0)
  }

  @Test func nothingIsAttributedWithinTheNoise() throws {
    let same = try explain(cached, Fixture.profile("again"))
    #expect(!same.isDecided)
    #expect(same.parts.allSatisfy { same.share($0.change) == nil })
    expectContains(same.headline, "cannot be told apart", "contains 1")
    expectNil(same.largestSentence)
    #expect(!same.text(colour: false).contains("█"))
    #expect(!same.markdown.contains("from faster"))
    let csv = ExplanationFiles.csv([same]).split(separator: "\n")
    #expect(csv.dropFirst().allSatisfy { $0.contains(",undecided,") })

    let few = Fixture.profile("few", passes: 2)
    #expect(try explain(recomputed, few).outcome != .faster)
    try expectContains(explain(recomputed, few).headline, "too few passes")
  }

  @Test func aDifferenceMustExceedWhatOneSideDiffersByItself() throws {
    let faster = changed("a little") { $0.microseconds *= 0.9 }
    #expect(try explain(cached, faster, noiseFloor: 0.02).isDecided)
    let noisy = try explain(cached, faster, noiseFloor: 0.2)
    #expect(!noisy.isDecided)
    expectContains(noisy.headline, "one side alone differed by 20.0 %")
  }

  /// One side fuses attention: its phases are held against each other as a whole.
  @Test func whatOneSideFusesIsOnePart() throws {
    let attention: [ProfilePhase] = [.attentionScores, .attentionSoftmax, .attentionValues]
    let fused = Fixture.profile(
      "fused", .decode,
      Fixture.cachedToken.filter { !attention.contains($0.phase) }
        + [
          PhaseTime(
            phase: .attentionOther, microseconds: 17.5, flops: 41e3, streamed: 1e5, activations: 1e3)
        ])
    let explanation = try explain(cached, fused)
    let part = try #require(explanation.parts.first { $0.name == "attention" })
    expectEqual(part.source, .phases(attention + [.attentionOther]))
    #expect(abs(part.change - -35e3) < 1e-6)
    try expectEqual(#require(part.split).work, 0)
    expectContains(
      ExplanationFiles.csv([explanation]),
      ",attention-scores+attention-softmax+attention-values+attention-other,")
  }

  /// Additions to the residual stream that one side has fused into its products are no less work.
  @Test func fusedAdditionsAreTheirProducts() throws {
    let apart = Fixture.profile(
      "apart", .decode,
      Fixture.cachedToken + [
        PhaseTime(phase: .projectionResidual, microseconds: 5, flops: 1e3, activations: 6e3),
        PhaseTime(phase: .mlpResidual, microseconds: 12, flops: 1e3, activations: 6e3),
      ])
    let parts = try explain(apart, cached).parts
    let linear = try #require(parts.first { $0.source == .phases([.qkv, .projection, .projectionResidual]) })
    let mlp = try #require(parts.first { $0.source == .phases([.up, .gelu, .down, .mlpResidual]) })
    for (part, change) in [(linear, -10e3), (mlp, -24e3)] {
      #expect(abs(part.change - change) < 1e-6)
      #expect(abs(try #require(part.split).work) < -0.1 * change)
    }
  }

  @Test func twoStagesLengthsOrModelsAreRefused() {
    let others = [
      Fixture.profile("x", .prefill), Fixture.profile("x", tokens: 65), Fixture.profile("x", layers: 3),
    ]
    let messages = others.map { other in
      #expect(throws: Explanation.NotComparable.self) { try explain(cached, other) }?.description
    }
    expectEqual(
      messages,
      [
        "two profiles of one stage: found decode and prefill, expected the same",
        "two profiles of one number of tokens: found 64 and 65, expected the same",
        "two profiles of one model, with layers: found 2 and 3, expected the same",
      ])
  }

  @Test func oneNameIsToldApart() throws {
    let faster = changed("kv-cache") { $0.microseconds /= 2 }
    let explanation = try explain(cached, faster)
    #expect(explanation.headline.hasPrefix("kv-cache (B) is "))
    expectContains(explanation.headline, " × as fast as kv-cache (A) at decode after 64 tokens")
  }

  @Test func turnsBecomeOneProfile() throws {
    var turns = ProfileTurns(cached)
    expectNil(turns.spread)
    turns.append(Fixture.profile("kv-cache", unexplained: 60))
    let spread = try #require(turns.spread)
    #expect(abs(spread - 0.05) < 1e-9)
    let whole = try #require(turns.whole)
    expectEqual(whole.keptPasses, 6)
    expectEqual(whole.passNanoseconds.count, 10)
    expectEqual(whole.entries.count, cached.entries.count)
    let figures = ProfileFigures(whole, ceiling: nil)
    #expect(abs(figures.wallNanoseconds - 1_025_000) < 1e-6)
    #expect(abs(figures.unexplainedNanoseconds - 35_000) < 1e-6)
  }
}

struct TimeSplitTests {
  private let recomputing = WorkAmount(nanoseconds: 1000, flops: 6400, bytes: 100, leastNanoseconds: 360)
  private let cached = WorkAmount(nanoseconds: 30, flops: 100, bytes: 90, leastNanoseconds: 20)

  /// 360 of 1000 ns are the roofline's, which becomes 20; 640 are lost, of which a 64th stays: 30 in all, as it is.
  @Test func workedOutByHand() throws {
    expectEqual(TimeSplit(from: recomputing, to: cached).map { [$0.work, $0.rate] }, [-970, 0])
    var slower = cached
    slower.nanoseconds = 40
    expectEqual(TimeSplit(from: recomputing, to: slower).map { [$0.work, $0.rate] }, [-970, 10])
  }

  @Test func theOtherWayRoundOnlyTheSignsChange() {
    var slower = cached
    slower.nanoseconds = 40
    expectEqual(TimeSplit(from: slower, to: recomputing).map { [$0.work, $0.rate] }, [970, -10])
  }

  @Test func theSameWorkIsAllRate() {
    var faster = recomputing
    faster.nanoseconds = 500
    expectEqual(TimeSplit(from: recomputing, to: faster).map { [$0.work, $0.rate] }, [0, -500])
    expectEqual(TimeSplit(from: faster, to: recomputing).map { [$0.work, $0.rate] }, [0, 500])
  }

  /// A kernel that memory bounds gains by fewer bytes; one that is far from that bound does not.
  @Test func fewerBytesCountAsFarAsTheyBound() {
    let quarter = WorkAmount(nanoseconds: 30, flops: 100, bytes: 25, leastNanoseconds: 22.5)
    let near = WorkAmount(nanoseconds: 100, flops: 100, bytes: 100, leastNanoseconds: 90)
    expectEqual(TimeSplit(from: near, to: quarter).map { [$0.work, $0.rate] }, [-67.5, -2.5])
    let far = WorkAmount(nanoseconds: 10_000, flops: 100, bytes: 100, leastNanoseconds: 90)
    expectEqual(TimeSplit(from: far, to: quarter).map { [$0.work, $0.rate] }, [-67.5, -9902.5])
  }

  @Test func withoutCeilingsTimeGoesWithTheOperations() {
    let from = WorkAmount(nanoseconds: 640, flops: 64, bytes: 1)
    let to = WorkAmount(nanoseconds: 30, flops: 1, bytes: 1)
    expectEqual(TimeSplit(from: from, to: to).map { [$0.work, $0.rate] }, [-630, 20])
    let copied = WorkAmount(nanoseconds: 8, bytes: 8)
    expectEqual(
      TimeSplit(from: copied, to: WorkAmount(nanoseconds: 3, bytes: 2)).map { [$0.work, $0.rate] }, [-6, 1])
  }

  @Test func whatOneSideDoesNotDoIsWork() {
    expectEqual(TimeSplit(from: WorkAmount(), to: cached).map { [$0.work, $0.rate] }, [30, 0])
    expectEqual(TimeSplit(from: cached, to: WorkAmount()).map { [$0.work, $0.rate] }, [-30, 0])
    expectNil(TimeSplit(from: WorkAmount(nanoseconds: 1), to: WorkAmount(nanoseconds: 3)))
  }

  @Test func aCeilingThatWasTooLowLosesNothing() {
    let above = WorkAmount(nanoseconds: 80, flops: 10, bytes: 10, leastNanoseconds: 100)
    let half = WorkAmount(nanoseconds: 45, flops: 5, bytes: 5, leastNanoseconds: 50)
    expectEqual(TimeSplit(from: above, to: half).map { [$0.work, $0.rate] }, [-40, 5])
  }
}

import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record
import Reporting
import TestSupport
import Testing

@testable import gpt2_bench

/// What marks come to, with marks made by hand.
struct PassProfileTests {
  private let configuration: Configuration

  init() throws {
    configuration = try Configuration(layers: 2, heads: 2, channels: 8, vocabulary: 16, context: 32)
  }

  private func track(_ thread: Int, _ marks: [(time: UInt64, mark: Mark)]) -> MarkLog.Track {
    MarkLog.Track(thread: thread, entries: marks.map { .init(time: $0.time, mark: $0.mark.rawValue) })
  }

  /// 100 ns between, QKV for 300 of which 50 wait, attention in three parts, then the MLP with a GELU.
  private var driving: MarkLog.Track {
    track(
      0,
      [
        (1_000, Mark(.between)), (1_100, Mark(.qkv, layer: 1)), (1_350, .waiting), (1_400, .operation),
        (1_400, Mark(.between)), (1_410, Mark(.attention, layer: 1)), (1_420, .scores), (1_450, .softmax),
        (1_460, .values), (1_500, .operation), (1_510, Mark(.between)), (1_510, Mark(.up, layer: 1)),
        (1_600, .gelu), (1_620, .operation), (1_700, Mark(.between)),
      ])
  }

  private var pooled: MarkLog.Track {
    track(
      3, [(1_120, .operation), (1_330, .waiting), (1_515, .operation), (1_590, .gelu), (1_600, .waiting)])
  }

  private func pass(
    _ tracks: [MarkLog.Track], wall: Double = 720, cost: MarkCost = .none
  ) -> PassProfile {
    PassProfile(
      tracks, wallNanoseconds: wall, configuration: configuration, rows: 3, firstPosition: 4, cost: cost)
  }

  @Test func everyStretchBelongsToOnePhase() {
    let entries = pass([driving]).entries
    expectEqual(
      entries.map(\.phase),
      [
        .other, .qkv, .attentionScores, .attentionSoftmax, .attentionValues, .attentionOther, .up, .gelu,
      ])
    expectEqual(entries.map(\.nanoseconds), [110, 250, 30, 10, 40, 20, 170, 20])
    expectEqual(entries.map(\.waitNanoseconds), [0, 50, 0, 0, 0, 0, 0, 0])
    expectEqual(entries.map(\.layer), [nil, 1, 1, 1, 1, 1, 1, 1])
    expectEqual(entries.map(\.calls), [0, 1, 1, 1, 1, 1, 1, 1])
    expectEqual(entries.reduce(0) { $0 + $1.nanoseconds + $1.waitNanoseconds }, 700)
  }

  /// A mark that begins an operation costs 20, another 4; no stretch becomes less than nothing.
  @Test func whatMarksCostIsNoPhases() {
    let entries = pass([driving], cost: MarkCost(waiting: 20, passing: 4)).entries
    expectEqual(
      entries.map(\.phase),
      [
        .other, .qkv, .attentionScores, .attentionSoftmax, .attentionValues, .attentionOther, .up, .gelu,
      ])
    expectEqual(entries.map(\.nanoseconds), [172, 246, 26, 6, 36, 6, 146, 16])
    expectEqual(entries.map(\.waitNanoseconds), [0, 46, 0, 0, 0, 0, 0, 0])
    expectEqual(entries.reduce(0) { $0 + $1.nanoseconds + $1.waitNanoseconds }, 700)
  }

  /// In several parts, with a wait that is the product's; fused, it is no phase.
  @Test func additionsToTheStreamAreAPhaseWhereTheyAreMarked() {
    let entries = pass([
      track(
        0,
        [
          (1_000, Mark(.projection, layer: 0)), (1_100, .residual), (1_120, .operation), (1_121, .residual),
          (1_130, .operation), (1_140, .waiting), (1_160, .operation), (1_170, Mark(.between)),
          (1_180, Mark(.down, layer: 0)), (1_280, Mark(.between)), (1_290, Mark(.down, layer: 1)),
          (1_390, .residual), (1_400, .operation), (1_401, Mark(.between)),
        ])
    ]).entries
    let additions = entries.filter { $0.phase == .projectionResidual || $0.phase == .mlpResidual }
    expectEqual(additions.map(\.phase), [.projectionResidual, .mlpResidual])
    expectEqual(additions.map(\.layer), [0, 1])
    expectEqual(additions.map(\.calls), [1, 1])
    expectEqual(additions.map(\.nanoseconds), [29, 10])
    // Three rows of eight: the product's output and the stream are read, the stream is written.
    #expect(additions.allSatisfy { $0.flops == Double(3 * 8) && $0.activationBytes == Double(3 * 4 * 3 * 8) })
    let projection = entries.first { $0.phase == .projection }
    expectEqual(projection?.nanoseconds, 121)
    expectEqual(projection?.waitNanoseconds, 20)
    expectEqual(projection?.activationBytes, Double(4 * (3 * 8 + 3 * 8)))
    let down = entries.filter { $0.phase == .down }
    expectEqual(
      down.map(\.activationBytes), [Double(4 * (3 * 32 + 2 * 3 * 8)), Double(4 * (3 * 32 + 3 * 8))])
  }

  @Test func workIsOfTheRowsAndPositions() {
    let entries = pass([driving]).entries
    let qkv = entries[1]
    expectEqual(qkv.flops, Double(2 * 3 * 24 * 8))
    expectEqual(qkv.streamedBytes, Double(4 * (24 * 8 + 24)))
    // Three rows after four positions: 5 + 6 + 7 pairs, 2 · 8 operations each.
    expectEqual(entries[2].flops, Double(18 * 2 * 8))
    expectEqual(entries[7].flops, GELU.flops(count: 3 * 32))
    expectEqual(entries[7].streamedBytes, 0)
    expectEqual(entries[7].activationBytes, 0)
  }

  @Test func threadsAreBusyOrWait() {
    let times = pass([driving, pooled]).threadTimes
    expectEqual(times[0], .init(busyNanoseconds: 670, waitNanoseconds: 50))
    expectEqual(times[3], .init(busyNanoseconds: 295, waitNanoseconds: 425))
    expectEqual(times.count, 2)
    expectEqual(pass([driving, pooled]).drivingThread, 0)
    #expect(pass([]).entries.isEmpty && pass([]).threadTimes.isEmpty)
  }

  /// A thread that found no work in a pass, and passed no mark, waited for all of it.
  @Test func aThreadIsTheSameThroughAllPasses() throws {
    let model = try Checkpoint(inMemory: configuration, name: "hand")
    let engine = try Engine(model, variant: .oracle, threads: 1)
    let other = MarkLog.Track(thread: 5, entries: pooled.entries)
    let profile = Profile(
      of: engine.variant, threads: engine.threads, stage: .decode, tokens: 4,
      passes: [pass([driving, pooled]), pass([driving, other])], without: [])
    expectEqual(profile.threadTimes.map(\.busyNanoseconds), [1_340, 295, 295])
    expectEqual(profile.threadTimes.map(\.waitNanoseconds), [100, 1_145, 1_145])
  }

  /// Of eight passes the two fastest and the two slowest have no say.
  @Test func sumsAreOfThePassesAroundTheMedian() throws {
    let model = try Checkpoint(inMemory: configuration, name: "hand")
    let engine = try Engine(model, variant: .oracle, threads: 1)
    let walls: [Double] = [720, 9_000, 730, 740, 710, 100, 750, 760]
    let passes = walls.map { pass([driving], wall: $0) }
    let profile = Profile(
      of: engine.variant, threads: engine.threads, stage: .decode, tokens: 4, passes: passes, without: [700])
    expectEqual(profile.passNanoseconds, walls)
    expectEqual(profile.keptPasses, 4)
    expectEqual(profile.wallNanoseconds, 720 + 730 + 740 + 750)
    expectEqual(profile.entries.first { $0.phase == .qkv }?.nanoseconds, 1_000)
    expectEqual(profile.entries.first { $0.phase == .qkv }?.calls, 4)
    expectEqual(profile.threadTimes.map(\.waitNanoseconds), [200])
    expectEqual(profile.overhead?.withoutNanoseconds, [700])
    let alone = Profile(
      of: engine.variant, threads: engine.threads, stage: .prefill, tokens: 4, passes: [passes[0]],
      without: [])
    expectEqual(alone.keptPasses, 1)
    expectNil(alone.overhead)
  }

  private func pass(_ stage: Profile.Stage, _ start: UInt64, _ end: UInt64) -> TimelineBuilder.Pass {
    .init(stage: stage, tokens: 1, position: 4, start: start, end: end, residentBytes: 1 << 20)
  }

  /// Marks that are timed too early by more than lies between two passes still belong to their own.
  @Test func aClockThatDriftsMovesNoMarkIntoAnotherPass() throws {
    let early = track(
      0,
      [
        (7_000, Mark(.between)), (7_100, Mark(.embedding)), (12_000, Mark(.between)),
        (16_000, Mark(.sampling)),
        (17_000, Mark(.between)), (17_500, Mark(.between)), (17_600, Mark(.embedding)),
        (22_000, Mark(.between)),
        (26_900, Mark(.sampling)), (27_000, Mark(.between)),
      ])
    let timeline = TimelineBuilder([pass(.prefill, 10_000, 20_000), pass(.decode, 20_500, 30_000)]).timeline(
      of: [early], title: "t")
    let spans = timeline.tracks[0].spans
    expectEqual(
      spans.map { timeline.labels[Int($0.label)].name },
      [
        "prefill", "embedding", "sampling", "decode", "embedding", "sampling",
      ])
    expectEqual(spans.map(\.start), [0, 0, 6_000, 10_500, 10_500, 16_900])
    expectEqual(spans.map(\.duration), [10_000, 2_000, 1_000, 9_500, 1_500, 100])
    #expect(try !ChromeTrace(timeline).text.isEmpty)
  }

  @Test func spansNestAndPoolThreadsAreAtTheOperationOfTheMoment() throws {
    // The clock sets the pass a little later, and a little shorter, than the marks.
    let timeline = TimelineBuilder([pass(.prefill, 1_010, 1_690)]).timeline(
      of: [driving, pooled], title: "t")
    let names = timeline.tracks.map { $0.spans.map { timeline.labels[Int($0.label)].name } }
    expectEqual(
      names,
      [
        [
          "prefill", "layer 1", "QKV", "pool wait", "attention", "scores", "softmax", "values", "MLP up",
          "GELU",
        ],
        ["QKV", "MLP up", "GELU"],
      ])
    let spans = timeline.tracks[0].spans
    expectEqual(spans[0], .init(start: 0, duration: 680, label: spans[0].label))
    expectEqual(spans[1].start, 90)
    expectEqual(spans[1].duration, 590)
    expectEqual(spans[2].start, 90)
    expectEqual(spans[2].duration, 300)
    expectEqual(timeline.tracks[1].spans.map(\.start), [110, 505, 580])
    expectEqual(timeline.tracks[1].spans.map(\.duration), [210, 85, 10])
    expectEqual(timeline.counters.map(\.unit), ["tok/s", "tokens", "MiB"])
    // Its own rules: in order, nested, labelled.
    try expectContains(ChromeTrace(timeline).text, "\"attention\"")
    try expectContains(
      FoldedStacks(timeline).text, "driving_thread;prefill;layer_1;attention;scores 30\n")
  }
}

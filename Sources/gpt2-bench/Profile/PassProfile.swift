import GPT2Engine
import GPT2Kernels
import GPT2Model
import Measurement
import Record

struct PassProfile {
  /// From a clock outside the marks.
  let wallNanoseconds: Double
  /// In the order in which the pass first came to them.
  private(set) var entries: [Profile.Entry] = []
  /// By `MarkLog.Track.thread`. A thread that passed no mark is not among them: it waited.
  private(set) var threadTimes: [Int: Profile.ThreadTime] = [:]
  /// Nil where nothing was marked.
  private(set) var drivingThread: Int?

  private let configuration: Configuration
  private let weights, cache: WeightPrecision
  private let rows: Int
  private let firstPosition: Int
  private let training: (batch: Int, lossBlocks: Int)?
  private var places: [Profile.Place: Int] = [:]

  /// - Parameters:
  ///   - tracks: of the driving thread, then of the pool's others.
  ///   - rows: positions that the pass computed.
  ///   - firstPosition: positions before them that were cached.
  ///   - cost: of a mark: no phase's work, it counts as what lies between operations.
  ///   - training: the windows of a step, of `rows` tokens each, and the pieces that their logits are computed in; nil of
  ///     a forward pass.
  init(
    _ tracks: [MarkLog.Track], wallNanoseconds: Double, configuration: Configuration,
    weights: WeightPrecision = .f32, cache: WeightPrecision = .f32, rows: Int, firstPosition: Int,
    cost: MarkCost, training: (batch: Int, lossBlocks: Int)? = nil
  ) {
    self.wallNanoseconds = wallNanoseconds
    (self.configuration, self.weights, self.cache) = (configuration, weights, cache)
    self.rows = rows
    self.firstPosition = firstPosition
    self.training = training
    guard let driving = tracks.first else { return }
    follow(driving.entries, cost)
    let waited = entries.reduce(0) { $0 + $1.waitNanoseconds }
    drivingThread = driving.thread
    threadTimes[driving.thread] = .init(
      busyNanoseconds: max(wallNanoseconds - waited, 0), waitNanoseconds: waited)
    for track in tracks.dropFirst() {
      let busy = min(Self.busy(track.entries), wallNanoseconds)
      threadTimes[track.thread] = .init(busyNanoseconds: busy, waitNanoseconds: wallNanoseconds - busy)
    }
  }

  /// Gives each stretch between two marks to the place that the first of them opened, without what the second cost.
  private mutating func follow(_ marks: [MarkLog.Entry], _ cost: MarkCost) {
    var (phase, layer): (Phase, Int?) = (.between, nil)
    var part = Mark.operation
    var addsToStream = false
    var noted = 0.0
    for (index, entry) in marks.enumerated() {
      let mark = Mark(rawValue: entry.mark)
      if let place = mark.place {
        (phase, layer) = place
        part = .operation
        addsToStream = false
        if phase != .between { count(phase, layer) }
      } else {
        part = mark
        // Some kernels add within the product: those have no such part.
        if mark == .residual, !addsToStream, phase == .projection || phase == .down {
          addsToStream = true
          count(phase, layer, .residual)
          // The product has left the stream alone.
          entries[self.index(of: ProfilePhase(phase, .operation), layer: layer)].activationBytes -=
            PhaseWork.streamBytes(rows: rows * sequences, in: configuration)
        }
      }
      guard index + 1 < marks.count else { break }
      let whole = Double(marks[index + 1].time - entry.time)
      let endsOperation = Mark(rawValue: marks[index + 1].mark).beginsOperation
      let noting = min(endsOperation ? cost.waiting : cost.passing, whole)
      let time = whole - noting
      noted += noting
      let place = self.index(of: ProfilePhase(phase, part), layer: layer)
      if part == .waiting {
        entries[place].waitNanoseconds += time
      } else {
        entries[place].nanoseconds += time
      }
    }
    if noted > 0 { entries[index(of: .other, layer: nil)].nanoseconds += noted }
  }

  /// One operation begins: its calls and its work, those of its parts among them.
  private mutating func count(_ phase: Phase, _ layer: Int?) {
    let parts: [Mark] =
      switch phase {
      case .attention: [.scores, .softmax, .values, .operation]
      case .up: [.operation, .gelu]
      default: [.operation]
      }
    for part in parts { count(phase, layer, part) }
  }

  private var sequences: Int { training?.batch ?? 1 }

  private mutating func count(_ phase: Phase, _ layer: Int?, _ part: Mark) {
    // Training computes the logits of all rows, some at a time; the final norm is of all of them.
    let logitRows = training.map { rows * $0.batch / $0.lossBlocks } ?? 1
    let work = PhaseWork(
      of: phase, part: part, isInLayer: layer != nil || training != nil, in: configuration, rows: rows,
      firstPosition: firstPosition, sequences: sequences, logitRows: logitRows, weights: weights,
      cache: cache)
    let place = index(of: ProfilePhase(phase, part), layer: layer)
    entries[place].calls += 1
    entries[place].flops += work.flops
    entries[place].streamedBytes += work.streamedBytes
    entries[place].activationBytes += work.activationBytes
  }

  private mutating func index(of phase: ProfilePhase, layer: Int?) -> Int {
    let place = Profile.Place(phase: phase, layer: phase == .other ? nil : layer)
    if let known = places[place] { return known }
    places[place] = entries.count
    entries.append(
      .init(
        phase: phase, layer: place.layer, calls: 0, nanoseconds: 0, waitNanoseconds: 0, flops: 0,
        streamedBytes: 0, activationBytes: 0))
    return entries.count - 1
  }

  private static func busy(_ marks: [MarkLog.Entry]) -> Double {
    zip(marks, marks.dropFirst()).reduce(0) { sum, pair in
      pair.0.mark == Mark.waiting.rawValue ? sum : sum + Double(pair.1.time - pair.0.time)
    }
  }
}

extension ProfilePhase {
  /// The phase that a stretch of an operation belongs to. Waiting belongs to the operation that is waited for.
  init(_ phase: Phase, _ part: Mark) {
    self =
      switch (phase, part) {
      case (.attention, .scores): .attentionScores
      case (.attention, .softmax): .attentionSoftmax
      case (.attention, .values): .attentionValues
      case (.attention, _): .attentionOther
      case (.projection, .residual): .projectionResidual
      case (.down, .residual): .mlpResidual
      case (.up, .gelu): .gelu
      case (.up, _): .up
      case (.embedding, _): .embedding
      case (.layerNorm, _): .layerNorm
      case (.qkv, _): .qkv
      case (.cacheStore, _): .cacheStore
      case (.projection, _): .projection
      case (.down, _): .down
      case (.logits, _): .logits
      case (.sampling, _): .sampling
      case (.causalAttention, _): .attention
      case (.loss, _): .loss
      case (.logitsGradient, _): .logitsGradient
      case (.downGradient, _): .downGradient
      case (.geluGradient, _): .geluGradient
      case (.upGradient, _): .upGradient
      case (.projectionGradient, _): .projectionGradient
      case (.attentionGradient, _): .attentionGradient
      case (.qkvGradient, _): .qkvGradient
      case (.layerNormGradient, _): .layerNormGradient
      case (.embeddingGradient, _): .embeddingGradient
      case (.optimizer, _): .optimizer
      case (.between, _): .other
      }
  }
}

extension Profile {
  /// What several passes of one stage come to.
  ///
  /// - Parameters:
  ///   - passes: at least one, under probes.
  ///   - without: the wall times of the same passes without probes; empty where they were not run.
  init(
    of variant: Variant, threads: Int, stage: Stage, tokens: Int, passes: [PassProfile], without: [Double]
  ) {
    let kept = Self.middle(passes)
    self.init(
      variant: variant.name, weights: variant.weights.rawValue, threads: threads, stage: stage,
      tokens: tokens, passNanoseconds: passes.map(\.wallNanoseconds), keptPasses: kept.count,
      wallNanoseconds: kept.reduce(0) { $0 + $1.wallNanoseconds }, entries: kept.flatMap(\.entries).summed(),
      overhead: without.isEmpty
        ? nil : Overhead(withNanoseconds: passes.map(\.wallNanoseconds), withoutNanoseconds: without),
      threadTimes: Self.threadTimes(kept))
    instructions = variant.instructions
    cache = variant.cache == .f32 ? nil : variant.cache.rawValue
  }

  /// Without the fastest quarter and the slowest.
  private static func middle(_ passes: [PassProfile]) -> [PassProfile] {
    let quarter = passes.count / 4
    let order = passes.indices.sorted { passes[$0].wallNanoseconds < passes[$1].wallNanoseconds }
    return order[quarter..<passes.count - quarter].sorted().map { passes[$0] }
  }

  /// The driving thread's first.
  private static func threadTimes(_ passes: [PassProfile]) -> [ThreadTime] {
    guard let driving = passes.compactMap(\.drivingThread).first else { return [] }
    let pool = Set(passes.flatMap(\.threadTimes.keys)).subtracting([driving]).sorted()
    return ([driving] + pool).map { thread in
      passes.reduce(into: ThreadTime(busyNanoseconds: 0, waitNanoseconds: 0)) { sum, pass in
        let isIdle = ThreadTime(busyNanoseconds: 0, waitNanoseconds: pass.wallNanoseconds)
        sum.add(pass.threadTimes[thread] ?? isIdle)
      }
    }
  }
}

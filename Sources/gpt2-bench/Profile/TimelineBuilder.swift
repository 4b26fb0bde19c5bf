import GPT2Engine
import GPT2Kernels
import Measurement
import Record
import Reporting

/// Draws marks as spans: a pass holds layers, a layer operations, an operation its parts.
struct TimelineBuilder {
  struct Pass {
    let stage: Profile.Stage
    /// Positions that it took in: the prompt's, or one.
    let tokens: Int
    /// Tokens of the sequence when it began.
    let position: Int
    /// Of `SystemClock`.
    let start: UInt64
    let end: UInt64
    let residentBytes: Int?
  }

  private let passes: [Pass]
  private let origin: UInt64
  private var labels: [Timeline.Label] = []
  private var numbers: [Timeline.Label: UInt32] = [:]
  /// Labels of marks, by raw value: there are far fewer than marks.
  private var known: [UInt32: UInt32] = [:]
  /// What the driving thread was at, in order: what the others worked on at the same moment.
  private var operations: [(start: UInt64, end: UInt64, label: UInt32)] = []

  init(_ passes: [Pass]) {
    self.passes = passes
    origin = passes.first?.start ?? 0
  }

  /// - Parameter tracks: the driving thread's, then the others'.
  consuming func timeline(of tracks: [MarkLog.Track], title: String) -> Timeline {
    var builder = self
    var shown: [Timeline.Track] = []
    if let driving = tracks.first {
      shown.append((name: "driving thread", spans: builder.driving(driving.entries)))
    }
    for (index, track) in tracks.dropFirst().enumerated() {
      shown.append((name: "pool thread \(index + 1)", spans: builder.pooled(track.entries)))
    }
    let counters = builder.counters
    return Timeline(title: title, labels: builder.labels, tracks: shown, counters: counters)
  }

  private mutating func driving(_ marks: [MarkLog.Entry]) -> [Timeline.Span] {
    var spans: [Timeline.Span] = []
    spans.reserveCapacity(marks.count)
    var pass = passes.startIndex
    var openLayer: (index: Int, layer: Int)?
    var openOperation: Int?
    for (index, entry) in marks.enumerated() {
      let mark = Mark(rawValue: entry.mark)
      if pass < passes.endIndex, Self.opensPass(index, marks) {
        spans.append(
          .init(
            start: passes[pass].start - origin, duration: passes[pass].end - passes[pass].start,
            label: number(.init(name: passes[pass].stage.rawValue, category: "pass"))))
        pass += 1
      }
      guard pass > passes.startIndex else { continue }
      let time = within(passes[pass - 1], entry.time)
      guard let place = mark.place else {
        let next = index + 1 < marks.count ? within(passes[pass - 1], marks[index + 1].time) : time
        if mark != .operation { spans.append(part(mark, from: time, to: next)) }
        continue
      }
      if let open = openOperation {
        spans[open].duration = time - spans[open].start
        operations.append((spans[open].start, time, spans[open].label))
        if let layer = openLayer { spans[layer.index].duration = time - spans[layer.index].start }
        openOperation = nil
      }
      guard place.phase != .between else { continue }
      if place.layer != openLayer?.layer {
        openLayer = nil
        if let layer = place.layer {
          openLayer = (spans.count, layer)
          spans.append(
            .init(start: time, duration: 0, label: number(.init(name: "layer \(layer)", category: "layer"))))
        }
      }
      openOperation = spans.count
      spans.append(.init(start: time, duration: 0, label: label(of: mark)))
    }
    return spans
  }

  /// Operations and their parts; a thread that waits is not drawn.
  private mutating func pooled(_ marks: [MarkLog.Entry]) -> [Timeline.Span] {
    var spans: [Timeline.Span] = []
    spans.reserveCapacity(marks.count)
    var operation = operations.startIndex
    var open: Int?
    for (index, entry) in marks.enumerated() {
      let mark = Mark(rawValue: entry.mark)
      let time = max(entry.time, origin) - origin
      if mark == .waiting {
        if let job = open { spans[job].duration = time - spans[job].start }
        open = nil
        continue
      }
      if open == nil {
        while operation + 1 < operations.endIndex, operations[operation].end <= time { operation += 1 }
        guard operation < operations.endIndex else { break }
        open = spans.count
        spans.append(.init(start: time, duration: 0, label: operations[operation].label))
      }
      let next = index + 1 < marks.count ? max(marks[index + 1].time, origin) - origin : time
      if mark != .operation { spans.append(part(mark, from: time, to: next)) }
    }
    return spans
  }

  /// A pass begins between operations, and so does it end: two such marks in a row. Their times would not do, since marks
  /// are timed by another counter than passes, which may set them apart.
  private static func opensPass(_ index: Int, _ marks: [MarkLog.Entry]) -> Bool {
    let between = Mark(.between).rawValue
    return marks[index].mark == between && (index == 0 || marks[index - 1].mark == between)
  }

  private func within(_ pass: Pass, _ time: UInt64) -> UInt64 {
    min(max(time, pass.start), pass.end) - origin
  }

  private mutating func part(_ mark: Mark, from start: UInt64, to end: UInt64) -> Timeline.Span {
    .init(start: start, duration: end - start, label: label(of: mark))
  }

  private mutating func label(of mark: Mark) -> UInt32 {
    if let label = known[mark.rawValue] { return label }
    let label: Timeline.Label =
      if let place = mark.place {
        .init(name: ProfilePhase.name(of: place.phase), category: "operation")
      } else {
        .init(name: Self.partName(mark), category: "part")
      }
    let number = number(label)
    known[mark.rawValue] = number
    return number
  }

  private static func partName(_ mark: Mark) -> String {
    switch mark {
    case .scores: "scores"
    case .softmax: "softmax"
    case .values: "values"
    case .gelu: "GELU"
    case .residual: "residual"
    default: "pool wait"
    }
  }

  private mutating func number(_ label: Timeline.Label) -> UInt32 {
    if let number = numbers[label] { return number }
    let number = UInt32(labels.count)
    labels.append(label)
    numbers[label] = number
    return number
  }

  private var counters: [Timeline.Counter] {
    let speed = passes.map { pass in
      (time: pass.start - origin, value: Double(pass.tokens) * 1e9 / Double(max(pass.end - pass.start, 1)))
    }
    let memory = passes.compactMap { pass in
      pass.residentBytes.map { (time: pass.end - origin, value: Double($0) / 1_048_576) }
    }
    let positions = passes.map { (time: $0.start - origin, value: Double($0.position)) }
    let counters: [Timeline.Counter] = [
      (name: "speed", unit: "tok/s", samples: speed),
      (name: "position", unit: "tokens", samples: positions),
      (name: "resident memory", unit: "MiB", samples: memory),
    ]
    return counters.filter { !$0.samples.isEmpty }
  }
}

extension ProfilePhase {
  /// What a whole operation is called; attention's parts have names of their own.
  static func name(of phase: Phase) -> String {
    phase == .attention ? "attention" : ProfilePhase(phase, .operation).title
  }
}

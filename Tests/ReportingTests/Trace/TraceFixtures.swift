import Foundation

@testable import Record
@testable import Reporting

extension Timeline {
  static let operation = Label(name: "mlp-up", category: "operation")

  /// One thread, `main`, whose spans all have the label `mlp-up`.
  static func single(_ spans: [(start: UInt64, duration: UInt64)]) -> Timeline {
    Timeline(
      title: "packed", labels: [operation],
      tracks: [
        (name: "main", spans: spans.map { Span(start: $0.start, duration: $0.duration, label: 0) })
      ],
      counters: [])
  }

  /// A step with a layer of two operations on one thread, a part of one of them on another.
  static func small() -> Timeline {
    Timeline(
      title: "packed, synthetic:tiny",
      labels: [
        Label(name: "decode step", category: "stage"), Label(name: "layer 0", category: "layer"), operation,
        Label(name: "mlp-down", category: "operation"), Label(name: "part", category: "part"),
      ],
      tracks: [
        (
          name: "main",
          spans: [
            Span(start: 1_000, duration: 5_000_001, label: 0),
            Span(start: 1_002, duration: 4_000_000, label: 1),
            Span(start: 1_002, duration: 1_999, label: 2), Span(start: 3_001, duration: 7, label: 3),
          ]
        ),
        (name: "worker 1", spans: [Span(start: 1_100, duration: 999, label: 4)]),
      ],
      counters: [
        (name: "decode", unit: "tok/s", samples: [(0, 20.5), (5_001_001, 1e-7)]),
        (name: "resident", unit: "", samples: [(17, 3)]),
      ])
  }

  /// `count` spans on three threads, nested up to five deep at random, with gaps and spans without duration.
  static func random(spans count: Int, seed: UInt64) -> Timeline {
    var generator = Xorshift(state: seed)
    let labels = (0..<40).map { Label(name: "operation \($0)", category: "operation") }
    let tracks = (0..<3).map { thread -> Track in
      var spans: [Span] = []
      spans.reserveCapacity(count / 3 + 1)
      var ends: [UInt64] = []
      var now: UInt64 = 0
      let wanted = (count + thread) / 3
      while spans.count < wanted {
        now += generator.below(50)
        while let end = ends.last, end <= now { ends.removeLast() }
        let room = ends.last.map { $0 - now } ?? 1_000_000
        let duration = ends.count == 5 ? min(room, generator.below(40)) : generator.below(room + 1)
        spans.append(Span(start: now, duration: duration, label: UInt32(generator.below(40))))
        if ends.count < 5 { ends.append(now + duration) } else { now += duration }
      }
      return (name: "thread \(thread)", spans: spans)
    }
    let samples = (0..<50).map { (time: UInt64($0) * 1_000, value: Double(generator.below(1_000)) / 7) }
    return Timeline(
      title: "random", labels: labels, tracks: tracks,
      counters: [(name: "decode", unit: "tok/s", samples: samples)])
  }
}

/// A generator whose numbers are the same on every run.
private struct Xorshift {
  var state: UInt64

  mutating func below(_ bound: UInt64) -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state % bound
  }
}

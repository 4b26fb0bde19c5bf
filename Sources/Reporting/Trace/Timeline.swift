import Record

/// What every thread of a run did and when, for tools that draw it. Times are in nanoseconds from the run's start.
public struct Timeline: Sendable {
  /// What a span is called.
  public struct Label: Sendable, Hashable {
    /// `mlp-up`, `layer 3`, `decode`
    public var name: String
    /// `pass`, `layer`, `operation` or `part`.
    public var category: String

    public init(name: String, category: String) {
      self.name = name
      self.category = category
    }
  }

  /// Something that took time. Sixteen bytes and a little: there may be millions.
  public struct Span: Sendable, Equatable {
    public var start: UInt64
    public var duration: UInt64
    /// An index into `labels`.
    public var label: UInt32

    public init(start: UInt64, duration: UInt64, label: UInt32) {
      self.start = start
      self.duration = duration
      self.label = label
    }
  }

  /// One thread. Its spans nest or lie apart, and stand in the order of their starts, an outer one before its inner
  /// ones.
  public struct Track: Sendable {
    public var name: String
    public var spans: [Span]

    public init(name: String, spans: [Span]) {
      self.name = name
      self.spans = spans
    }
  }

  /// A figure over time: a value holds until the next.
  public struct Counter: Sendable {
    public var name: String
    public var unit: String
    public var samples: [(time: UInt64, value: Double)]

    public init(name: String, unit: String, samples: [(time: UInt64, value: Double)]) {
      self.name = name
      self.unit = unit
      self.samples = samples
    }
  }

  /// What ran, for the head of the trace: `packed, 2 threads, synthetic:gpt2`.
  public var title: String
  public var labels: [Label]
  public var tracks: [Track]
  public var counters: [Counter]

  public init(title: String, labels: [Label], tracks: [Track], counters: [Counter]) {
    self.title = title
    self.labels = labels
    self.tracks = tracks
    self.counters = counters
  }

  /// Of all tracks together.
  public var spanCount: Int { tracks.reduce(0) { $0 + $1.spans.count } }
}

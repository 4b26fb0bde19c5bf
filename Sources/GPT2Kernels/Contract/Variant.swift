/// The numbers that a variant holds weights in, or cached keys and values, by the name that reports show.
public enum WeightPrecision: String, Sendable, CaseIterable {
  case f32
  /// bfloat16: float32 without the lower half.
  case bf16
  /// Blocks of 32 inputs of an output, a byte or half a byte each, with a scale in half precision: ggml's Q8_0 and Q4_0.
  case int8, int4

  /// Of another program's weights, by what it calls them: of as many bits. Nil for a name that is not known here.
  public init?(named name: String) {
    switch name {
    case "f16": self = .bf16
    case "q8_0": self = .int8
    case "q4_0": self = .int4
    default: self.init(rawValue: name)
    }
  }
}

/// A named way of running GPT-2: a point on the axes kernel, decode strategy, threads, and precision of weights and of the
/// cache, so that two neighbouring rows of a report differ in one thing.
public struct Variant: Sendable {
  public enum Decoding: String, Sendable {
    /// The whole sequence goes through the model again for each token.
    case recompute
    /// Keys and values are kept; each step computes one new position.
    case cache
  }

  public private(set) var name: String
  /// What this variant adds to the one before it, in a line.
  public private(set) var summary: String
  public private(set) var decoding = Decoding.recompute
  /// Whether it uses more than one thread where it is given them.
  public private(set) var isThreaded = false
  /// Whether threads that are not the kernel's own may still be busy when an operation has returned.
  public private(set) var leavesThreadsBusy = false
  public private(set) var weights = WeightPrecision.f32
  /// What keys and values are kept in: float32 or bfloat16.
  public private(set) var cache = WeightPrecision.f32

  /// Whether its answers are those of float32 to within rounding. Others lose by what they are.
  public var isExact: Bool { weights == .f32 && cache == .f32 }

  /// What its products run on in this build; nil where there was nothing to choose.
  public var instructions: String? { DotPath.all(for: weights).first?.rawValue }

  private(set) var makeKernel: @Sendable (ThreadPool) -> any Kernel
  /// The same with a cache of bfloat16; nil where the kernel has none.
  private(set) var makeNarrowCacheKernel: (@Sendable (ThreadPool) -> any Kernel)?

  /// The threads that it uses of those it is given.
  public func threads(of given: Int) -> Int { isThreaded ? max(given, 1) : 1 }

  /// The variant's kernel, with its threads running where it has several.
  public func kernel(threads: Int) -> any Kernel {
    makeKernel(ThreadPool(threads: self.threads(of: threads)))
  }
}

extension Variant {
  /// What a cache of keys and values may be in.
  public static let cachePrecisions: [WeightPrecision] = [.f32, .bf16]

  /// This one with another precision of the cache, which its name tells, as in `packed+kv-bf16`; nil where it cannot.
  public func caching(in precision: WeightPrecision) -> Variant? {
    if precision == cache { return self }
    guard cache == .f32, precision == .bf16, let makeNarrowCacheKernel else { return nil }
    var variant = self
    variant.name += "+kv-\(precision.rawValue)"
    variant.summary += "; keys and values in bfloat16"
    variant.cache = precision
    variant.makeKernel = makeNarrowCacheKernel
    variant.makeNarrowCacheKernel = nil
    return variant
  }

  /// The ladder's variants that can have a cache of bfloat16, with one. No list has them unless it is asked to.
  public static let withNarrowCache = all.compactMap { $0.caching(in: .bf16) }
}

/// A variant that needs something which this machine may lack.
public struct LookedUpVariant: Sendable {
  public let name: String
  public let summary: String

  let lookUp: @Sendable () -> Result<Variant, BLASLibrary.Missing>

  /// The variant, or why there is none here.
  public var found: Result<Variant, BLASLibrary.Missing> { lookUp() }

  public var variant: Variant? { try? found.get() }
}

extension Variant {
  /// The ladder, slowest rung first. Everything that lists, checks, measures or tests variants iterates this.
  public static let all: [Variant] = [
    .naive, .unrolled8, .tiled, .simd8, .threaded, .keyValueCache, .packed, .bf16, .int8, .int4,
  ]

  /// Those whose numbers are the model's own.
  public static let exact = all.filter(\.isExact)

  /// The variant that every other one is held against.
  public static let oracle = naive

  /// What runs where nobody names one: the fastest in float32 that every machine has.
  public static let preferred = packed

  /// Those that need something of the machine's; no rungs of the ladder.
  public static let lookedUp: [LookedUpVariant] = [.blas]

  /// The ladder and what of the others is there.
  public static var available: [Variant] { all + lookedUp.compactMap(\.variant) }

  /// Every name there is, of variants that this machine lacks too.
  public static var names: [String] { all.map(\.name) + lookedUp.map(\.name) }

  public static func named(_ name: String) -> Variant? {
    (all + withNarrowCache).first { $0.name == name } ?? lookedUp.first { $0.name == name }?.variant
  }

  /// Whether a variant has that name, here or on another machine.
  public static func isName(_ name: String) -> Bool { names.contains(name) || named(name) != nil }
}

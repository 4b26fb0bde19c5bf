import GPT2Kernels

/// The operations of a forward pass, and the choice of a token behind it, as a profile tells them apart.
public enum Phase: UInt8, Sendable, CaseIterable {
  case embedding, layerNorm, qkv, cacheStore, attention, projection, up, down, logits, sampling
  /// Between two of them.
  case between
}

extension Mark {
  /// The operation of a layer, or of none. Layers beyond 65,534 share the last number.
  public init(_ phase: Phase, layer: Int? = nil) {
    let place = layer.map { UInt32(min($0, 0xFFFE)) } ?? 0xFFFF
    self.init(rawValue: Mark.firstOperation * UInt32(phase.rawValue + 1) + place)
  }

  /// What it is a mark of, where it is an operation's.
  public var place: (phase: Phase, layer: Int?)? {
    guard rawValue >= Mark.firstOperation,
      let phase = Phase(rawValue: UInt8(truncatingIfNeeded: rawValue / Mark.firstOperation - 1))
    else { return nil }
    let layer = rawValue % Mark.firstOperation
    return (phase, layer == 0xFFFF ? nil : Int(layer))
  }
}

extension Probe {
  /// An operation between its marks.
  @inline(__always)
  public static func during(_ phase: Phase, layer: Int? = nil, _ body: () -> Void) {
    enter(Mark(phase, layer: layer))
    body()
    enter(Mark(.between))
  }
}

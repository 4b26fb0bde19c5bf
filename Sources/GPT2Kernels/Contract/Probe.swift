import CSystem

/// What a thread is at, as whoever profiles sees it: a part of an operation, or which operation, until it says
/// another.
public struct Mark: RawRepresentable, Sendable, Hashable {
  /// Below 2¹⁶ the parts that kernels tell apart; above them the operations of whoever calls the kernels.
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The operation itself, and whatever of it has no name here.
  public static let operation = Mark(rawValue: 0)
  /// Attention's products of queries and keys.
  public static let scores = Mark(rawValue: 1)
  public static let softmax = Mark(rawValue: 2)
  /// Attention's sums of values.
  public static let values = Mark(rawValue: 3)
  public static let gelu = Mark(rawValue: 4)
  /// The addition to the residual stream, of a kernel that makes it an operation of its own.
  public static let residual = Mark(rawValue: 6)
  /// For a job, or for the other threads of the pool to finish theirs.
  public static let waiting = Mark(rawValue: 5)

  /// The first value that is no part's.
  public static let firstOperation: UInt32 = 1 << 16

  /// Whether an operation begins with it, of whoever calls the kernels or within one that a kernel makes several of.
  @inline(__always) public var beginsOperation: Bool { rawValue >= Self.firstOperation || self == .residual }
}

/// Where threads say what they go over to. Kernels know no clock: whoever listens has one.
public enum Probe {
  /// Has every mark's raw value handed to `listener`, on its thread; nil for none. Not to be called during an
  /// operation.
  public static func listen(_ listener: (@convention(c) (UInt32) -> Void)?) { csystem_listen(listener) }

  /// Without a listener it is a load and a branch that is not taken.
  @inline(__always) public static func enter(_ mark: Mark) { csystem_enter(mark.rawValue) }
}

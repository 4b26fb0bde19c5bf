/// A named way of running GPT-2: a point on the axes kernel, decode strategy, threads and weight precision, so
/// that two neighbouring rows of a report differ in one thing.
public struct Variant: Sendable {
  /// How a token is decoded.
  public enum Decoding: String, Sendable {
    /// The whole sequence goes through the model again for each token.
    case recompute
    /// Keys and values are kept; each step computes one new position.
    case cache
  }

  public let name: String
  /// What this variant adds to the one before it, in a line.
  public let summary: String
  public let decoding: Decoding
  /// Whether it uses more than one thread where it is given them.
  public let isThreaded: Bool
  /// Whether threads that are not the kernel's own may still be busy when an operation has returned.
  public let leavesThreadsBusy: Bool
  /// Precision of the weights, as reports show it.
  public let weights = "f32"

  private let makeKernel: @Sendable (ThreadPool) -> any Kernel

  init(
    name: String, summary: String, decoding: Decoding = .recompute, isThreaded: Bool = false,
    leavesThreadsBusy: Bool = false,
    kernel: @escaping @Sendable (ThreadPool) -> any Kernel
  ) {
    self.name = name
    self.summary = summary
    self.decoding = decoding
    self.isThreaded = isThreaded
    self.leavesThreadsBusy = leavesThreadsBusy
    self.makeKernel = kernel
  }

  /// The threads that it uses of those it is given.
  public func threads(of given: Int) -> Int { isThreaded ? max(given, 1) : 1 }

  /// The variant's kernel, with its threads running where it has several.
  public func kernel(threads: Int) -> any Kernel {
    makeKernel(ThreadPool(threads: self.threads(of: threads)))
  }
}

/// The weights of one GPT-2, float32, read-only, each tensor checked against the configuration.
///
/// The tensors lie in a mapped file (or in memory where a file could not be mapped as it is), so processes that
/// open the same checkpoint share its pages. A checkpoint outlives every pointer it hands out; keep it.
public final class Checkpoint: @unchecked Sendable {
  /// The name to print: a synthetic model's, or the path.
  public let name: String
  public let configuration: Configuration
  /// The file behind the weights; nil for weights that exist only in memory.
  public let path: String?

  private let mapping: Mapping
  /// For each of `configuration.parameters`, in their order: bytes from the start of the mapping.
  private let offsets: [Int]
  private let parameters: [Parameter]

  init(
    name: String, configuration: Configuration, path: String?, mapping: consuming Mapping,
    offsets: [Int]
  ) {
    self.name = name
    self.configuration = configuration
    self.path = path
    self.mapping = mapping
    self.offsets = offsets
    self.parameters = configuration.parameters
    precondition(offsets.count == parameters.count)
  }

  /// Bytes of all weights.
  public var weightBytes: Int { configuration.parameterCount * MemoryLayout<Float>.stride }

  /// A tensor's values, row-major in `parameter.shape`, valid while the checkpoint lives.
  public func tensor(at index: Int) -> UnsafeBufferPointer<Float> {
    let start = (mapping.base + offsets[index]).assumingMemoryBound(to: Float.self)
    return UnsafeBufferPointer(start: start, count: parameters[index].count)
  }

  /// (vocabulary, channels)
  public var tokenEmbedding: UnsafeBufferPointer<Float> { tensor(at: 0) }

  /// (context, channels)
  public var positionEmbedding: UnsafeBufferPointer<Float> { tensor(at: 1) }

  public func tensor(_ parameter: LayerParameter, layer: Int) -> UnsafeBufferPointer<Float> {
    tensor(at: Configuration.index(of: parameter, layer: layer))
  }

  public var finalNormWeight: UnsafeBufferPointer<Float> { tensor(at: configuration.finalNormIndex) }

  public var finalNormBias: UnsafeBufferPointer<Float> {
    tensor(at: configuration.finalNormIndex + 1)
  }

  /// (vocabulary, channels): the logits' matrix, which is the token embedding where they are tied.
  public var outputEmbedding: UnsafeBufferPointer<Float> {
    configuration.tiesEmbeddings ? tokenEmbedding : tensor(at: configuration.finalNormIndex + 2)
  }

  /// Tells the system that all of these values, part of one tensor, are about to be read: it then maps their
  /// pages at once rather than one fault after the other.
  public func willRead(_ values: UnsafeBufferPointer<Float>) {
    if let range = fileRange(of: values) { mapping.populatePages(range) }
  }

  /// Tells the system that this process has no use for these values for now, because it holds them in another
  /// layout. Lowers resident memory; the values stay readable.
  public func releasePages(of values: UnsafeBufferPointer<Float>) {
    if let range = fileRange(of: values) { mapping.releasePages(range) }
  }

  /// All of them: reading one tensor maps pages of its neighbours again. Those still needed come back when they
  /// are read.
  public func releaseAllPages() {
    guard path != nil else { return }
    mapping.releasePages(0..<mapping.count)
  }

  /// Where values lie in the mapping; nil for weights that exist only in memory.
  private func fileRange(of values: UnsafeBufferPointer<Float>) -> Range<Int>? {
    guard path != nil, let base = values.baseAddress else { return nil }
    let start = UnsafeRawPointer(base) - UnsafeRawPointer(mapping.base)
    let bytes = values.count * MemoryLayout<Float>.stride
    precondition(start >= 0 && start + bytes <= mapping.count, "values of another checkpoint")
    return start..<start + bytes
  }
}

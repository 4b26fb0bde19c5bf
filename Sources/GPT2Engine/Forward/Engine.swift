import GPT2Kernels
import GPT2Model

/// Runs one GPT-2 with one variant. Not for use by several threads at once; its variant may use several itself.
public final class Engine {
  public let checkpoint: Checkpoint
  public let variant: Variant
  public let threads: Int
  public var configuration: Configuration { checkpoint.configuration }
  var scoreCount: Int { configuration.heads * configuration.context }

  let kernel: any Kernel
  let weights: PreparedWeights
  var activations: Activations
  /// (sequences, heads, context)
  var scores: FloatBuffer
  /// One layer's keys and values, where nothing is kept from step to step.
  let scratchCache: KeyValueCache?
  /// (rows, vocabulary) of the last step.
  private var logits: FloatBuffer

  /// - Parameter threads: how many the variant may use; one that is not threaded uses one.
  public init(_ checkpoint: Checkpoint, variant: Variant, threads: Int) throws(EngineError) {
    let configuration = checkpoint.configuration
    (self.checkpoint, self.variant) = (checkpoint, variant)
    self.threads = variant.threads(of: threads)
    kernel = variant.kernel(threads: threads)
    weights = try PreparedWeights(checkpoint, kernel: kernel)
    activations = try Activations(capacity: 1, configuration: configuration)
    scores = try makeBuffer(configuration.heads * configuration.context)
    logits = try makeBuffer(configuration.vocabulary)
    scratchCache =
      variant.decoding == .cache
      ? nil : try KeyValueCache(layers: 1, configuration: configuration, layout: kernel.cacheLayout)
  }

  /// The layers' weights as the kernel reads them, for whoever asks what memory gives. They stay where they are for as
  /// long as the engine lives.
  public var layerMemory: UnsafeRawBufferPointer { weights.layerMemory }

  /// Calls `body` with each index below `count` once, on the variant's threads, and returns when all are done.
  public func forEach(_ count: Int, _ body: (Int) -> Void) { kernel.forEach(count, body) }

  public func makeSequence() throws(EngineError) -> TokenSequence {
    guard variant.decoding == .cache else { return TokenSequence(cache: nil, configuration: configuration) }
    let cache = try KeyValueCache(
      layers: configuration.layers, configuration: configuration, layout: kernel.cacheLayout)
    return TokenSequence(cache: cache, configuration: configuration)
  }

  /// Takes in what is new in each sequence, all of them in one pass over the weights, and returns the logits of
  /// each sequence's last position: (sequences, vocabulary), valid until the next step.
  public func step(_ sequences: [TokenSequence]) throws(EngineError) -> Matrix {
    let chunks = try chunks(of: sequences)
    if logits.count < sequences.count * configuration.vocabulary {
      logits = try makeBuffer(sequences.count * configuration.vocabulary)
    }
    try forward(chunks)
    for (index, chunk) in chunks.enumerated() {
      let last = activations.residual.base + (chunk.firstRow + chunk.count - 1) * configuration.channels
      (activations.block.base + index * configuration.channels)
        .update(from: last, count: configuration.channels)
    }
    let output = MutableMatrix(logits.base, rows: sequences.count, columns: configuration.vocabulary)
    project(activations.block.base, to: output)
    return output.readOnly
  }

  /// Takes in what is new in a sequence and hands over the logits of each of those positions, in order, a block of
  /// rows at a time: all of them at once would be larger than the model.
  /// - Parameter wanted: the first position whose logits are wanted, one of the new ones or before them.
  public func stepThroughPositions(
    of sequence: TokenSequence, from wanted: Int = 0,
    _ body: (_ position: Int, _ logits: UnsafeBufferPointer<Float>) throws(EngineError) -> Void
  ) throws(EngineError) {
    let chunks = try chunks(of: [sequence])
    let skipped = max(wanted - chunks[0].firstPosition, 0)
    precondition(skipped < chunks[0].count, "no new position from \(wanted) on")
    let block = min(chunks[0].count - skipped, 32)
    let vocabulary = configuration.vocabulary
    let rows = try makeBuffer(block * vocabulary)
    try forward(chunks)
    for first in stride(from: skipped, to: chunks[0].count, by: block) {
      let count = min(block, chunks[0].count - first)
      let output = MutableMatrix(rows.base, rows: count, columns: vocabulary)
      project(activations.residual.base + first * configuration.channels, to: output)
      for row in 0..<count {
        try body(chunks[0].firstPosition + first + row, output.readOnly.values(ofRow: row))
      }
    }
  }

  /// The logits of every position of a prompt of its own, finite or not: (positions, vocabulary).
  public func logits(of ids: [Int]) throws(EngineError) -> NPY {
    let sequence = try makeSequence()
    try sequence.append(ids)
    var values: [Float] = []
    values.reserveCapacity(ids.count * configuration.vocabulary)
    try stepThroughPositions(of: sequence) { _, logits in values += logits }
    return NPY(rows: ids.count, columns: configuration.vocabulary, values: values)
  }
}

/// A request that the engine cannot serve, or what a model's own numbers make of it. Each description is one line.
public enum EngineError: Error, Equatable, Sendable, CustomStringConvertible {
  case emptyPrompt
  case contextExceeded(tokens: Int, context: Int)
  case tokenOutsideVocabulary(id: Int, vocabulary: Int)
  case outOfMemory(bytes: Int)
  /// A weight of the model's that the variant's precision cannot hold.
  case weights(ModelError)
  case sampling(parameter: String, found: String, expected: String)
  case emptyStopSequence
  case stopSequenceWithoutTokenizer
  case noTokenizer(model: String)
  /// A token of the model's that the tokenizer's vocabulary lacks.
  case tokenWithoutText(id: Int, vocabulary: Int)
  /// What the model gave at a position is no number to choose or to report by.
  case nonFiniteLogit(position: Int, token: Int, found: String)

  public var description: String {
    switch self {
    case .emptyPrompt: "the prompt is empty, expected at least one token"
    case .contextExceeded(let tokens, let context):
      "\(tokens) tokens do not fit the model's context of \(context)"
    case .tokenOutsideVocabulary(let id, let vocabulary):
      "token id \(id) is outside the vocabulary, expected 0 to \(vocabulary - 1)"
    case .outOfMemory(let bytes): "cannot allocate \(bytes) bytes of memory"
    case .weights(let error): "\(error)"
    case .sampling(let parameter, let found, let expected): "\(parameter) is \(found), expected \(expected)"
    case .emptyStopSequence: "a stop sequence is empty, expected at least one character"
    case .stopSequenceWithoutTokenizer: "stop sequences are text, expected a model with a tokenizer"
    case .noTokenizer(let model): "\(model) has no tokenizer, expected prompts as tokens"
    case .tokenWithoutText(let id, let vocabulary):
      "token id \(id) has no text, the tokenizer's vocabulary ends at \(vocabulary - 1)"
    case .nonFiniteLogit(let position, let token, let found):
      "position \(position): the logit of token \(token) is \(found), expected a finite number"
    }
  }
}

func makeBuffer(_ count: Int, isFilledAtOnce: Bool = false) throws(EngineError) -> FloatBuffer {
  do { return try FloatBuffer(count: count, isFilledAtOnce: isFilledAtOnce) } catch {
    throw .outOfMemory(bytes: error.bytes)
  }
}

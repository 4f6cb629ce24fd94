using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: normalizing layers, dropout, attention, recurrent layers, estimators.
public static partial class Functions
{
    /// <summary>(x - mean) / √(variance + epsilon) gain + bias over the last dimensions, as many as
    /// <paramref name="axes"/> says; gain and bias of their shape (Ba and others 2016).</summary>
    public static Value LayerNorm(
        this Value x, int axes, Value? gain = null, Value? bias = null, double epsilon = LayerNormEpsilon) =>
        Normed(OpTable.LayerNormAny, x, gain, bias, Attributes.Of("axes", axes, "epsilon", epsilon));

    /// <summary>x / √(mean x² + epsilon) gain over the last dimension: x_..D, gain_D (Zhang and Sennrich
    /// 2019).</summary>
    public static Value RmsNorm(this Value x, Value? gain = null, double epsilon = 1e-6)
    {
        var attributes = Attributes.Of("epsilon", epsilon);
        return gain is null ? x.Apply(OpTable.RmsNorm, attributes) : x.Apply(OpTable.RmsNorm, attributes, gain);
    }

    /// <summary>Each of G groups of channels of a sample brought to mean 0 and variance 1: x_NC.., gain_C, bias_C (Wu
    /// and He 2018).</summary>
    public static Value GroupNorm(
        this Value x, int groups, Value? gain = null, Value? bias = null, double epsilon = LayerNormEpsilon) =>
        Normed(OpTable.GroupNorm, x, gain, bias, Attributes.Of("groups", groups, "epsilon", epsilon));

    /// <summary>Each channel of each sample brought to mean 0 and variance 1: x_NC(sizes), gain_C, bias_C (Ulyanov and
    /// others 2016).</summary>
    public static Value InstanceNorm(
        this Value x, Value? gain = null, Value? bias = null, double epsilon = LayerNormEpsilon) =>
        Normed(OpTable.InstanceNorm, x, gain, bias, Attributes.Of("epsilon", epsilon));

    /// <summary>
    /// Each channel of x_NC.. brought to mean 0 and variance 1 over the samples, then by gain_C and bias_C; variance
    /// divided by the count (Ioffe and Szegedy 2015). Also mean_NC and variance_NC, from which a caller keeps running
    /// ones: a row for each sample, all alike but in a graph, where each slice of the batch has its own. In evaluation
    /// (<see cref="Tape.TrainingMode"/>) the running values that are given take their place.
    /// </summary>
    /// <exception cref="ShapeException">Only one of gain and bias, or of the running values, is given.</exception>
    public static (Value Y, Value Mean, Value Variance) BatchNorm(
        this Value x, Value? gain = null, Value? bias = null, Value? runningMean = null, Value? runningVariance = null,
        double epsilon = LayerNormEpsilon)
    {
        Value?[] given = [gain, bias, runningMean, runningVariance];
        var count = given.Count(v => v is not null);
        if (given.Take(count).Any(v => v is null) || count is 1 or 3)
        {
            throw new ShapeException(
                "batch-norm: takes gain and bias together, and running mean and variance together with them");
        }

        Value[] inputs = [x, .. given.Take(count).Select(v => v!)];
        var y = x.Builder.Apply(OpTable.BatchNorm, Attributes.Of("epsilon", epsilon), inputs);
        return (y[0], y[1].Reshape(x.Type[0], x.Type[1]), y[2].Reshape(x.Type[0], x.Type[1]));
    }

    /// <summary>
    /// x with a share <paramref name="rate"/> of its elements at 0 and the others divided by 1 - rate; x itself under
    /// <see cref="Tape.TrainingMode.Evaluate"/>. Which, is a function of seed, stream and place, so the same call gives
    /// the same mask: give each step another seed, and each layer another stream (Srivastava and others 2014).
    /// </summary>
    public static Value Dropout(this Value x, double rate, int seed, int stream = 0) =>
        x.Apply(OpTable.Dropout, Attributes.Of("rate", rate, "seed", seed).With("stream", stream));

    /// <summary>
    /// softmax(q kᵀ / √D + mask) v: q_..TD, k_..SD, v_..SE, mask added to the scores (-∞ hides a place) and repeated
    /// like any operand, to y_..TE (Vaswani and others 2017).
    /// </summary>
    /// <param name="causal">Place t sees the places up to t only.</param>
    public static Value ScaledDotProductAttention(
        this Value q, Value k, Value v, Value? mask = null, bool causal = false)
    {
        var attributes = Attributes.Of("causal", causal);
        return mask is null ? q.Apply(OpTable.ScaledDotProduct, attributes, k, v)
            : q.Apply(OpTable.ScaledDotProduct, attributes, k, v, mask);
    }

    /// <summary>
    /// Long short-term memory over the steps of x_NTI from the state h_NH, c_NH; weights w_(4H)I, u_(4H)H, bias_4H in
    /// the order input, forget, cell, output gate. Returns all h_NTH, and the last h and c (Hochreiter and Schmidhuber
    /// 1997).
    /// </summary>
    public static (Value All, Value H, Value C) Lstm(this Value x, Value h, Value c, Value w, Value u, Value bias)
    {
        var y = x.Builder.Apply(OpTable.Lstm, Attributes.None, [x, h, c, w, u, bias]);
        return (y[0], y[1], y[2]);
    }

    /// <summary>One step of <see cref="Lstm"/>: x_NI and the state h_NH, c_NH to the next state.</summary>
    public static (Value H, Value C) LstmCell(this Value x, Value h, Value c, Value w, Value u, Value bias)
    {
        var y = x.Builder.Apply(OpTable.LstmCell, Attributes.None, [x, h, c, w, u, bias]);
        return (y[0], y[1]);
    }

    /// <summary>
    /// Gated recurrent units over the steps of x_NTI from the state h_NH; weights w_(3H)I, u_(3H)H, biases of both in
    /// the order reset, update, new. Returns all h_NTH and the last h (Cho and others 2014).
    /// </summary>
    public static (Value All, Value H) Gru(this Value x, Value h, Value w, Value u, Value biasW, Value biasU)
    {
        var y = x.Builder.Apply(OpTable.Gru, Attributes.None, [x, h, w, u, biasW, biasU]);
        return (y[0], y[1]);
    }

    /// <summary>One step of <see cref="Gru"/>: x_NI and the state h_NH to the next state.</summary>
    public static Value GruCell(this Value x, Value h, Value w, Value u, Value biasW, Value biasU) =>
        x.Apply(OpTable.GruCell, h, w, u, biasW, biasU);

    /// <summary>EST-01: <paramref name="hard"/> as a value, with the gradient of <paramref name="soft"/>, of one shape:
    /// the straight-through estimator of thresholds and other steps (Bengio and others 2013).</summary>
    public static Value StraightThrough(this Value hard, Value soft) => hard.Apply(OpTable.StraightThrough, soft);

    /// <summary>
    /// EST-02: a draw of classes by logits x_..C with a gradient: softmax((x + Gumbel noise) / temperature) (Jang and
    /// others 2017). The noise is a function of seed, stream and place.
    /// </summary>
    /// <param name="hard">The one-hot of the largest instead, with the gradient of the soft form.</param>
    /// <exception cref="ShapeException">The temperature is not positive.</exception>
    public static Value GumbelSoftmax(
        this Value logits, int seed, double temperature = 1, bool hard = false, int stream = 0) =>
        logits.Apply(OpTable.GumbelSoftmax,
            Attributes.Of("seed", seed, "temperature", temperature).With("hard", hard).With("stream", stream));

    private static Value Normed(Op op, Value x, Value? gain, Value? bias, Attributes attributes)
    {
        if (gain is null && bias is not null) throw new ShapeException($"{op.Name}: takes a bias after a gain only");
        if (gain is null) return x.Apply(op, attributes);
        return bias is null ? x.Apply(op, attributes, gain) : x.Apply(op, attributes, gain, bias);
    }
}

using System.Globalization;

namespace Convoy.Shared.Jobs;

/// <summary>Who multiplies matrices.</summary>
public enum BlasLibrary
{
    /// <summary>The kernels of Convoy.</summary>
    Managed,
    OpenBlas,
    Mkl,
    Accelerate,
    Atlas,
}

/// <summary>
/// The key blas of a job. A library computes a product of one slice when it takes at least so many floating-point
/// operations (2·m·n·k); <see cref="Never"/>: no product. The sizes belong to the arithmetic of the job: two that
/// differ give other last bits.
/// </summary>
/// <param name="Library">Null: auto, to be measured and decided where the job is submitted.</param>
/// <param name="LinearFrom">Products of linear layers, from so many operations on.</param>
/// <param name="MatMulFrom">Products with one matrix for all samples (input gradients).</param>
/// <param name="WeightsFrom">Sums over the samples of a slice (weight gradients).</param>
public sealed record BlasSpec(BlasLibrary? Library, long LinearFrom = 0, long MatMulFrom = 0, long WeightsFrom = 0)
{
    public const string Range = "managed, auto, openblas, mkl, accelerate, atlas, or LIBRARY:LINEAR:MATMUL:WEIGHTS";

    /// <summary>A size that no product has.</summary>
    public const long Never = long.MaxValue;

    public static readonly BlasSpec Managed = new(BlasLibrary.Managed);

    /// <summary>Reads the text of a job. <paramref name="broken"/> is the rule that it breaks, or null.</summary>
    public static BlasSpec Parse(string text, out string? broken)
    {
        broken = null;
        var words = text.Split(':');
        switch (words)
        {
            case ["managed"]: return Managed;
            case ["auto"]: return new BlasSpec((BlasLibrary?)null);
            case [var name] when Named(name) is { } library: return new BlasSpec(library);
            case [var name, var linear, var matmul, var weights] when Named(name) is { } library
                && Size(linear) is { } l && Size(matmul) is { } m && Size(weights) is { } w:
                return new BlasSpec(library, l, m, w);
            default:
                broken = $"'{text}' is not known; use {Range} (operations of the smallest product, such as 2000000, "
                    + "or never)";
                return Managed;
        }
    }

    /// <summary>Reads a text that the rules of the job have accepted.</summary>
    public static BlasSpec Of(JobSpec job) => Parse(job.Blas, out _);

    /// <summary>The word of a library.</summary>
    public static string NameOf(BlasLibrary library) => library.ToString().ToLowerInvariant();

    public override string ToString() => Library switch
    {
        null => "auto",
        BlasLibrary.Managed => "managed",
        { } library when (LinearFrom, MatMulFrom, WeightsFrom) == (0, 0, 0) => NameOf(library),
        { } library => $"{NameOf(library)}:{Print(LinearFrom)}:{Print(MatMulFrom)}:{Print(WeightsFrom)}",
    };

    private static BlasLibrary? Named(string word) => word switch
    {
        "openblas" => BlasLibrary.OpenBlas,
        "mkl" => BlasLibrary.Mkl,
        "accelerate" => BlasLibrary.Accelerate,
        "atlas" => BlasLibrary.Atlas,
        _ => null,
    };

    private static long? Size(string word) => word == "never" ? Never
        : long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null;

    private static string Print(long size) =>
        size == Never ? "never" : size.ToString(CultureInfo.InvariantCulture);
}

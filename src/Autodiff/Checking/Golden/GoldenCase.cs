using System.Globalization;
using System.Text.Json;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>How a case ended.</summary>
public enum GoldenState
{
    /// <summary>All figures are within the tolerance.</summary>
    Passed,
    /// <summary>A figure, a shape or a name is not as it should be.</summary>
    Failed,
    /// <summary>Its name means nothing here.</summary>
    Unknown,
}

/// <summary>One case of a reference file: the largest errors over all its figures.</summary>
/// <param name="Note">Where the first figure is beyond the tolerance, or what went wrong; empty when it passed.</param>
public sealed record GoldenCase(
    string File, string Name, GoldenState State, double AbsoluteMax, double RelativeMax, string Note);

/// <summary>How far a figure may be from its reference: absolute, plus relative times the reference
/// (float64).</summary>
public sealed record GoldenTolerance(double Relative = 1e-9, double Absolute = 1e-11);

/// <summary>Compares figures with references and keeps the largest errors.</summary>
internal sealed class GoldenComparison(string file, string name, GoldenTolerance tolerance)
{
    public string Name => name;

    private double _absolute;
    private double _relative;
    private string _note = "";

    /// <param name="relative">A wider tolerance, where the reference is known to be less exact.</param>
    public void Tensor(JsonElement expected, Tensor actual, string what, double relative = 0)
    {
        var wanted = GoldenJson.TensorOf(expected);
        if (wanted.Shape != actual.Shape) Note($"{what}: shape {actual.Shape}, expected {wanted.Shape}");
        else Numbers(wanted.ToArray<double>(), actual.ToArray<double>(), what, relative);
    }

    public void Numbers(ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what,
        double relative = 0)
    {
        if (expected.Length != actual.Length)
        {
            Note($"{what}: {actual.Length} figures, expected {expected.Length}");
            return;
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i].Equals(actual[i])) continue;
            var error = Math.Abs(expected[i] - actual[i]);
            _absolute = Math.Max(_absolute, double.IsNaN(error) ? double.PositiveInfinity : error);
            // Against figures that are not near zero: there the absolute error counts.
            if (Math.Abs(expected[i]) > 1e-6) _relative = Math.Max(_relative, error / Math.Abs(expected[i]));
            if (!(error <= tolerance.Absolute + (Math.Max(relative, tolerance.Relative) * Math.Abs(expected[i]))))
                Note(string.Create(CultureInfo.InvariantCulture,
                    $"{what}[{i}] is {actual[i]:r}, expected {expected[i]:r}"));
        }
    }

    public void Note(string text)
    {
        if (_note.Length == 0) _note = text;
    }

    public GoldenCase Finish() => new(
        file, name, _note.Length == 0 ? GoldenState.Passed : GoldenState.Failed, _absolute, _relative, _note);

    public GoldenCase Unknown(string note = "unknown") => new(file, name, GoldenState.Unknown, 0, 0, note);

    /// <summary>A case that could not be run at all.</summary>
    public GoldenCase Failed(Exception e)
    {
        Note($"{e.GetType().Name}: {e.Message}");
        return Finish();
    }
}

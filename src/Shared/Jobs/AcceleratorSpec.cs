using System.Globalization;

namespace Convoy.Shared.Jobs;

/// <summary>
/// The key accelerator of a job: what computes convolutions. The bits are the same, so it is no part of the job's
/// arithmetic: workers may differ, and a job may go on with another one.
/// </summary>
/// <param name="IsOpenCl">False: the processor.</param>
/// <param name="Index">Which device; null: the first that can be used.</param>
public sealed record AcceleratorSpec(bool IsOpenCl, int? Index = null)
{
    public const string Range = "none, opencl or opencl:INDEX";

    public static readonly AcceleratorSpec None = new(false);

    /// <summary>Reads the text of a job. <paramref name="broken"/> is the rule that it breaks, or null.</summary>
    public static AcceleratorSpec Parse(string text, out string? broken)
    {
        broken = null;
        switch (text.Split(':'))
        {
            case ["none"]: return None;
            case ["opencl"]: return new AcceleratorSpec(true);
            case ["opencl", var index] when int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out var i):
                return new AcceleratorSpec(true, i);
            default:
                broken = $"'{text}' is not known; use {Range} (convoy devices lists them)";
                return None;
        }
    }

    /// <summary>Reads a text that the rules of the job have accepted.</summary>
    public static AcceleratorSpec Of(JobSpec job) => Parse(job.Accelerator, out _);

    public override string ToString() => !IsOpenCl ? "none" : Index is { } index
        ? string.Create(CultureInfo.InvariantCulture, $"opencl:{index}") : "opencl";
}

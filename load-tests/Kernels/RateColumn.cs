using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Convoy.LoadTests.Kernels;

/// <summary>What one call does, for rates: 0 where a rate says nothing.</summary>
/// <param name="Flops">Floating-point operations.</param>
/// <param name="Bytes">Bytes of the arrays that are read or written, each counted once.</param>
internal readonly record struct Work(double Flops = 0, double Bytes = 0);

/// <summary>Benchmarks that know their work.</summary>
internal interface ICounted
{
    /// <param name="method">Name of the benchmark method; the parameters are set.</param>
    Work WorkOf(string method);
}

/// <summary>Work of a benchmark over its median time, in units of 10^9 a second.</summary>
internal sealed class RateColumn(string name, Func<Work, double> amount) : IColumn
{
    public string Id => name;
    public string ColumnName => name;
    public bool AlwaysShow => true;
    public ColumnCategory Category => ColumnCategory.Custom;
    public int PriorityInCategory => 0;
    public bool IsNumeric => true;
    public UnitType UnitType => UnitType.Dimensionless;
    public string Legend => $"{name} at the median";

    public bool IsAvailable(Summary summary) =>
        summary.BenchmarksCases.Any(b => b.Descriptor.Type.IsAssignableTo(typeof(ICounted)));

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        if (summary[benchmarkCase]?.ResultStatistics is not { Median: > 0 } statistics) return "?";
        if (Activator.CreateInstance(benchmarkCase.Descriptor.Type) is not ICounted counted) return "-";
        foreach (var parameter in benchmarkCase.Parameters.Items)
            counted.GetType().GetProperty(parameter.Name)!.SetValue(counted, parameter.Value);
        var units = amount(counted.WorkOf(benchmarkCase.Descriptor.WorkloadMethod.Name));
        // Operations in a nanosecond are 10^9 in a second.
        return units == 0 ? "-" : (units / statistics.Median).ToString("0.0", CultureInfo.InvariantCulture);
    }
}

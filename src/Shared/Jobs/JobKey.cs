namespace Convoy.Shared.Jobs;

/// <summary>One key of the job file: everything that is known about it, in one row.</summary>
public abstract record JobKey
{
    /// <summary>Dotted path, such as <c>optimizer.schedule.kind</c>.</summary>
    public required string Path { get; init; }
    /// <summary>Type in words: number, whole number, text, list, size.</summary>
    public required string Type { get; init; }
    /// <summary>Range or choices in words; empty when the type says it all.</summary>
    public string Range { get; init; } = "";
    public required string Doc { get; init; }
    public bool IsRequired { get; init; }
    /// <summary>Which jobs have this key, in words; empty: all.</summary>
    public string UsedWhen { get; init; } = "";
    /// <summary>Default in words where it is not the plain value.</summary>
    public string? DefaultInWords { get; init; }
    internal Func<JobSpec, bool> Used { get; init; } = _ => true;

    public string Default => IsRequired ? "required" : DefaultInWords ?? Print(new JobSpec());

    /// <summary>Value in YAML.</summary>
    internal abstract string Print(JobSpec job);
    internal abstract JobSpec Read(JobSpec job, JobNode node);
    /// <summary>The broken rule of the key's own value, or null.</summary>
    internal abstract string? Check(JobSpec job);
}

internal sealed record JobKey<T> : JobKey
{
    public required Func<JobNode, string, T> Parse { get; init; }
    public required Func<T, string> Text { get; init; }
    public required Func<JobSpec, T> Get { get; init; }
    public required Func<JobSpec, T, JobSpec> Set { get; init; }
    public Func<T, string?> Rule { get; init; } = _ => null;

    internal override string Print(JobSpec job) => Text(Get(job));

    internal override JobSpec Read(JobSpec job, JobNode node)
    {
        var value = Parse(node, Path);
        if (Rule(value) is { } broken) throw node.Fail(Path, broken);
        return Set(job, value);
    }

    internal override string? Check(JobSpec job) => Rule(Get(job));
}

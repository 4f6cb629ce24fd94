namespace Convoy.Actors.Tests.Remoting;

/// <summary>A folder of one test, only for this user, gone afterwards.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("convoy-test-").FullName;

    public IReadOnlyList<string> Files =>
        [.. Directory.EnumerateFiles(Path).Select(f => System.IO.Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

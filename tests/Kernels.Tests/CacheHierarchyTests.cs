namespace Convoy.Kernels.Tests;

/// <summary>OPT-14: the caches of a machine, by the files that its system has of them.</summary>
public sealed class CacheHierarchyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-caches-").FullName;

    [Fact]
    public void Levels_are_those_of_data()
    {
        Write(0, "1", "Data", "48K\n");
        Write(1, "1", "Instruction", "32K\n");
        Write(2, "2", "Unified", "2M\n");
        Write(3, "3", "Unified", "33554432\n");

        Assert.Equal(CacheHierarchy.Of(48 << 10, 2 << 20, 32 << 20).Levels, CacheHierarchy.OfFolder(_folder).Levels);
    }

    [Fact]
    public void A_third_level_may_be_missing()
    {
        Write(0, "1", "Data", "32K");
        Write(2, "2", "Unified", "512K");

        Assert.Equal(["L1", "L2", "memory"], CacheHierarchy.OfFolder(_folder).Levels.Select(level => level.Name));
    }

    // An empty size, as some virtual machines have it, ended `convoy graph --analyze`.
    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("many")]
    [InlineData("99999999999999999999")]
    [InlineData("9999999999999999M")]
    public void A_size_that_makes_no_sense_is_a_typical_machine(string size)
    {
        Write(0, "1", "Data", size);
        Write(2, "2", "Unified", "512K");

        Assert.Same(CacheHierarchy.Typical, CacheHierarchy.OfFolder(_folder));
    }

    [Fact]
    public void A_system_that_tells_nothing_is_a_typical_machine()
    {
        Assert.Same(CacheHierarchy.Typical, CacheHierarchy.OfFolder(_folder));
        Assert.Same(CacheHierarchy.Typical, CacheHierarchy.OfFolder(Path.Combine(_folder, "none")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(int index, string level, string type, string size)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, $"index{index}")).FullName;
        File.WriteAllText(Path.Combine(folder, "level"), level);
        File.WriteAllText(Path.Combine(folder, "type"), type);
        File.WriteAllText(Path.Combine(folder, "size"), size);
    }
}

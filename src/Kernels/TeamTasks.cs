namespace Convoy.Kernels;

/// <summary>Tasks that do not depend on each other, by number.</summary>
public interface ITeamTasks
{
    /// <summary>Does task <paramref name="index"/>; several are done at the same time.</summary>
    void Run(int index);
}

/// <summary>
/// Whole tasks on the threads of the team, one to a thread: kernels inside a task are computed by its thread alone. For
/// work that falls into few large pieces; kernels divide themselves.
/// </summary>
public static class TeamTasks
{
    /// <summary>Threads of the team that this thread entered; 1 outside of one.</summary>
    public static int Threads => ThreadTeam.Parts(long.MaxValue, 1);

    /// <param name="tasks">The tasks; it is not copied.</param>
    /// <param name="count">How many, at most <see cref="Threads"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are more tasks than threads.</exception>
    public static void Run<TTasks>(ref TTasks tasks, int count) where TTasks : struct, ITeamTasks
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Threads);
        var parts = new Parts<TTasks>(ref tasks);
        ThreadTeam.Run(ref parts, count);
    }

    private readonly ref struct Parts<TTasks>(ref TTasks tasks) : ITeamWork where TTasks : struct, ITeamTasks
    {
        private readonly ref TTasks _tasks = ref tasks;

        public void Run(int part, int parts) => _tasks.Run(part);
    }
}

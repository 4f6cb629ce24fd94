namespace Convoy.Coordinator.Api;

/// <summary>The coordinator that was asked stands by: another one has to be asked.</summary>
internal sealed class StandbyRefusal(string text) : Exception(text);

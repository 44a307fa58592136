namespace TinyLlm.Grains.Usage;

/// <summary>As what a user is concerned by a use. Who uses a model of its own is both, in two rows.</summary>
[GenerateSerializer, Alias("tinyllm.UsageRole")]
public enum UsageRole
{
    /// <summary>The user's requests used the model.</summary>
    Consumer = 0,

    /// <summary>It is the user's model.</summary>
    Owner = 1,
}

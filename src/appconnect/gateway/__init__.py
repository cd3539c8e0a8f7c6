"""The protected resource: receive → canonical → decide → forward → answer, a file each."""

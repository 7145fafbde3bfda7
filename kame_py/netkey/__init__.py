# SPDX-License-Identifier: BSD-3-Clause
"""IPsec and PF_KEY: KAME sys/netkey and the IPsec files of sys/netinet6."""
